"""Every tool against Calendly's facts: what it takes, what it sends and what it answers, field by field."""

from typing import Any

import pytest

from tests.cases import each
from tests.tools.agent import run
from tests.tools.facts import (
    CALENDLY,
    ME,
    RESOURCES,
    TIMES,
    TOOL_FACTS,
    Documented,
    Fact,
    answer_of,
    example_of,
    leaves,
    required_arguments,
)
from tools import EndpointTool
from tools.toolset.errors import ArgumentError
from tools.working_hours import WEEKDAYS

EACH = each("tool, fact", TOOL_FACTS)
QUERIES = [(tool, parameter) for tool, fact in TOOL_FACTS for parameter in fact["query_params"]]
EACH_QUERY = each("tool, parameter", QUERIES)
BODIES = [
    (tool, name, schema)
    for tool, fact in TOOL_FACTS
    if fact["body"]
    for name, schema in fact["body"]["properties"].items()
]
EACH_BODY = each("tool, name, schema", BODIES)

DATES = {"period_type": "fixed", "start_date": "2026-12-01", "end_date": "2026-12-05"}
BESIDE: dict[tuple[str, str], dict[str, Any]] = {
    **{("period_type", moving): {"max_booking_time": 60} for moving in ("moving", "available_moving")},
    **dict.fromkeys(DATES.items(), DATES),
    ("user_availability_schedule", RESOURCES["user_availability_schedule"]): {"user": ME},
    ("scope", "group"): {"group": RESOURCES["group"]},
    ("scope", "organization"): {},
}
"""What Calendly wants beside some values."""


ADDED = {
    *("timezone", "local_start", "local_end", "local_time", "date", "times", "hosts", "scheduled_event", "not_kept"),
    *("searched", "whose", "status", "start_time", "end_time", "filters", "note", "empty_because"),
    *("summary_md", "action_items_md"),
    *("left_out", "rows", "how_to_go_on", "withheld", "third_party_text", "columns", "questions"),
    *("dry_run", "method", "path", "body", "then", "effects", "must_be_confirmed", "unchecked"),
}
"""The fields of ours beside Calendly's: local times, columns, hosts, what was searched, did not fit or is withheld,
would be sent or was not checked."""


EXCLUSIVE = {"min_start_time": "2026-12-03T09:59:59Z", "max_start_time": "2026-12-03T10:00:01Z"}
"""What is sent for 10:00 where Calendly's bounds are exclusive and ours are not."""


OURS = {
    *("reset", "clear"),
    *("passwords", "max_pages", "detail", "columns", "text_offset", "timezone", "idempotency_key", "no_limit"),
    *("dry_run", "confirmation"),
}
"""The parameters of ours beside Calendly's."""


def arguments_with(tool: EndpointTool, name: str, value: Fact) -> dict[str, Any]:
    beside = BESIDE.get((name, value), {}) if isinstance(value, str) else {}
    required = required_arguments(tool)
    if name == "duration_options":
        required.pop("duration", None)  # it has to be among them
    if name == "period_type" and value != "fixed":
        required.pop("end_date", None)  # only a fixed period has dates
    times = {end: time for end, time in TIMES.items() if end in required and tool.endpoint.method == "GET"}
    return {**required, **times, **beside, name: value}


async def sent_by(tool: EndpointTool, arguments: dict[str, Any]) -> Documented:
    calendly = Documented(only=tool)
    await run(tool.name, calendly, **arguments)
    return calendly


@pytest.mark.requirement("meta-facts")
@EACH
def test_scope_access_and_webhook_event_are_calendlys(tool: EndpointTool, fact: Fact) -> None:
    assert (tool.scope, tool.access, tool.webhook_event) == (fact["scope"], fact["access"], fact["webhook_event"])


@pytest.mark.requirement("meta-facts")
@EACH
def test_role_and_plan_are_stated_where_the_operation_always_needs_them(tool: EndpointTool, fact: Fact) -> None:
    assert (tool.plan == "enterprise") == (fact["plan"] == "Enterprise")
    assert (tool.role == "admin") == fact["role"].startswith("admin/owner")


@EACH
async def test_calendlys_example_request_is_what_the_tool_sends(tool: EndpointTool, fact: Fact) -> None:
    calendly = await sent_by(tool, required_arguments(tool))
    (request,) = calendly.sent
    example = fact["example_request"]
    assert request.endpoint.method == example["method"]
    if tool.name != "get_event_invitee":  # the example's invitee is another one
        assert f"{CALENDLY}{request.path}" == example["url"].partition("?")[0].replace(
            ME if tool.name == "get_current_user" else "",
            f"{CALENDLY}/users/me" if tool.name == "get_current_user" else "",
        )


@pytest.mark.requirement("answer-shapes", "answer-full")
@EACH
async def test_calendlys_example_response_comes_back_whole(tool: EndpointTool, fact: Fact) -> None:
    answer = await run(tool.name, Documented(), **required_arguments(tool))
    example = answer_of(fact)
    if not example:
        assert answer["status"]
        return
    theirs = example.get("resource", example)
    assert {name: field for name, field in answer.items() if name in theirs} == theirs
    assert set(answer) - set(theirs) <= ADDED


@pytest.mark.requirement("parameters-calendlys")
@EACH_QUERY
async def test_every_query_field_is_sent_under_calendlys_name(tool: EndpointTool, parameter: Fact) -> None:
    value = example_of(parameter["name"], parameter)
    calendly = await sent_by(tool, arguments_with(tool, parameter["name"], value))
    wanted = value[0] if parameter["type"] == "array" else value  # how several are written is documented nowhere
    assert calendly.sent[0].query[parameter["name"]] == EXCLUSIVE.get(parameter["name"], wanted)


@pytest.mark.requirement("parameters-calendlys")
@EACH_QUERY
async def test_every_value_of_an_enumeration_is_taken_and_no_other(tool: EndpointTool, parameter: Fact) -> None:
    for value in parameter.get("enum", []):
        beside = {"group": RESOURCES["group"]} if value == "group" else {}
        tool.parse({**required_arguments(tool), **beside, parameter["name"]: value}, ())
    for field in parameter.get("enum_fields", []):
        for direction in parameter["directions"]:
            tool.parse({**required_arguments(tool), parameter["name"]: f"{field}:{direction}"}, ())
    if "enum" in parameter or "enum_fields" in parameter:
        with pytest.raises(ArgumentError, match=parameter["name"]):
            tool.parse({**required_arguments(tool), parameter["name"]: "sideways"}, ())


@pytest.mark.requirement("parameters-calendlys")
@EACH_QUERY
def test_limits_and_defaults_are_calendlys(tool: EndpointTool, parameter: Fact) -> None:
    schema: Any = tool.input_schema["properties"]
    stated = schema[parameter["name"]]
    assert stated.get("minimum") == parameter.get("min")
    assert stated.get("maximum") == parameter.get("max")
    if parameter.get("default") is not None:
        assert tool.model.model_fields[parameter["name"]].default == parameter["default"]
    for limit in ("min", "max"):
        if limit in parameter:
            beyond = parameter[limit] + (1 if limit == "max" else -1)
            with pytest.raises(ArgumentError, match=parameter["name"]):
                tool.parse({**required_arguments(tool), parameter["name"]: beyond}, ())


@pytest.mark.requirement("parameters-calendlys")
@EACH_QUERY
def test_types_are_calendlys(tool: EndpointTool, parameter: Fact) -> None:
    schema: Any = tool.input_schema["properties"]
    assert schema[parameter["name"]]["type"] == parameter["type"]


@pytest.mark.requirement("parameters-no-others")
@EACH
def test_besides_calendlys_fields_a_tool_takes_few_of_ours(tool: EndpointTool, fact: Fact) -> None:
    calendlys = {parameter["name"] for parameter in fact["query_params"]} | set(tool.endpoint.parameters)
    calendlys |= set(fact["body"]["properties"]) if fact["body"] else set()
    taken: Any = tool.input_schema["properties"]
    assert set(taken) - calendlys <= OURS


@pytest.mark.requirement("parameters-calendlys", "parameters-top-level")
@EACH_BODY
async def test_every_body_field_is_sent_under_calendlys_name_in_every_variant(
    tool: EndpointTool, name: str, schema: Fact
) -> None:
    for variant in schema.get("oneOf", [schema]):
        for value in values_of(name, variant):
            calendly = await sent_by(tool, arguments_with(tool, name, value))
            body: Any = calendly.sent[0].body
            assert body[name] == value


def values_of(name: str, schema: Fact) -> Fact:
    """An example of a body field, and one more for every value of the enumeration that decides the variant."""
    example = example_of(name, schema)
    if name == "rules":
        return [[*example, *({"type": "wday", "wday": day, "intervals": []} for day in WEEKDAYS)]]
    if not isinstance(example, dict):
        return [value for value in schema.get("enum", [example]) if value is not None]
    by = next((field for field in ("kind", "type") if field in schema["properties"]), None)
    return [{**example, by: kind} for kind in schema["properties"][by]["enum"]] if by else [example]


@EACH_BODY
def test_what_a_variant_requires_is_required(tool: EndpointTool, name: str, schema: Fact) -> None:
    for variant in schema.get("oneOf", [schema]):
        if variant.get("type") != "object":
            continue
        example = example_of(name, variant)
        for needed in set(variant["required"]) - {
            "utm_campaign",
            "utm_source",
            "utm_medium",
            "utm_content",
            "utm_term",
            "salesforce_uuid",
        }:
            lacking = {field: value for field, value in example.items() if field != needed}
            if not lacking:
                continue  # an empty object is absence
            with pytest.raises(ArgumentError, match=needed):
                tool.parse({**required_arguments(tool), name: lacking}, ())


@pytest.mark.requirement("parameters-calendlys")
@EACH_BODY
def test_limits_of_body_fields_are_calendlys(tool: EndpointTool, name: str, schema: Fact) -> None:
    properties: Any = tool.input_schema["properties"]
    for limit in ("maxLength", "maxItems", "maximum", "minimum"):
        if limit in schema:
            assert properties[name][limit] == schema[limit]
    too_much: dict[str, Any] = {
        "maxLength": "x" * (schema.get("maxLength", 0) + 1),
        "maxItems": [example_of(name, schema.get("items", {"type": "null", "enum": [None]}))]
        * (schema.get("maxItems", 0) + 1),
        "maximum": schema.get("maximum", 0) + 1,
    }
    for limit, value in too_much.items():
        if limit in schema:
            with pytest.raises(ArgumentError, match=name):
                tool.parse({**required_arguments(tool), name: value}, ())


@EACH
def test_what_calendly_requires_is_required_or_has_a_default(tool: EndpointTool, fact: Fact) -> None:
    """A default that needs the caller's identity is sent in its place; see the test of the whole request above."""
    needed = {parameter["name"] for parameter in fact["query_params"] if parameter["required"]}
    needed |= set(fact["body"]["required"]) if fact["body"] else set()
    required: Any = tool.input_schema.get("required", [])
    assert needed - set(required) <= {"user", "organization", "scope", "host", "owner", "owner_type", "max_event_count"}


@EACH
async def test_everything_calendly_requires_is_sent_without_being_asked_for(tool: EndpointTool, fact: Fact) -> None:
    (request,) = (await sent_by(tool, required_arguments(tool))).sent
    assert {parameter["name"] for parameter in fact["query_params"] if parameter["required"]} <= set(request.parameters)
    assert set(fact["body"]["required"] if fact["body"] else ()) <= set(request.body or ())


@EACH
def test_the_output_schema_has_calendlys_fields_and_types_and_few_of_ours(tool: EndpointTool, fact: Fact) -> None:
    response = fact["response"]
    if not response or not response.get("properties"):
        return  # Calendly answers nothing: what the tool says is its own
    resource = response["properties"].get("resource", response)
    fields = leaves(tool.output_schema)
    ours = {path: types for path, types in fields if not path.startswith(("error", "scheduled_event."))}
    theirs: dict[str, set[str]] = {}
    for path, types in leaves(resource):
        theirs[path] = theirs.get(path, set()) | types
    assert set(theirs) <= set(ours)
    assert {path.rpartition(".")[2] for path in set(ours) - set(theirs)} <= ADDED
    for path, types in theirs.items():
        if ours[path]:  # where both a number and a text are possible there is a union instead
            assert types - {"null"} <= ours[path]
