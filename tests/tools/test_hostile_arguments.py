"""Whatever is put into an identifier or a text: nothing leaves, and one clear error names the parameter."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, cast

import pytest

from calendly.request import Request
from tests.cases import case, each
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent
from tests.tools.facts import RESOURCES, required_arguments
from tools import ALL, Tool
from tools.toolset.errors import ArgumentError

LONG = "x" * 1_000_000
UUID = "2f1c9a7e-5b0d-4a63-9c31-0d8e6f7a1b22"

ANYWHERE = {
    "null": "a\x00b",
    "escape": "a\x1b[2Jb",
    "C1": "a\x9bb",
    "one megabyte": LONG,
    "half a character": "\ud800",
}
IN_IDENTIFIERS = {
    **ANYWHERE,
    "nothing": "",
    "another host": f"https://evil.example/users/{UUID}",
    "a host that ends alike": f"https://api.calendly.com.evil.example/users/{UUID}",
    "userinfo": f"https://api.calendly.com@evil.example/users/{UUID}",
    "own userinfo": f"https://me:secret@api.calendly.com/users/{UUID}",
    "another port": f"https://api.calendly.com:8443/users/{UUID}",
    "plain http": f"http://api.calendly.com/users/{UUID}",
    "no scheme": f"//api.calendly.com/users/{UUID}",
    "another collection": f"https://api.calendly.com/elsewhere/{UUID}",
    "a query": f"{UUID}?count=100",
    "a fragment": f"{UUID}#x",
    "dots": "..",
    "one dot": ".",
    "a path": "../users/me",
    "a slash": "users/me",
    "an encoded slash": "..%2fusers%2fme",
    "a doubly encoded slash": "%252e%252e%252f",
    "a backslash": "..\\users",
    "a header": f"{UUID}\r\nX-Evil: 1",
    "a space": f"{UUID[:9]} {UUID[9:]}",
    "a word": "standup",
    "another alphabet": "аpі",  # noqa: RUF001 - that is the point
}
IDENTIFIERS = {
    "user", "organization", "group", "host", "co_hosts", "owner", "event_type", "scheduled_event", "invitee",
    "event_types", "users",
    "schedule", "user_availability_schedule", "membership", "invitation", "no_show", "share", "webhook_subscription",
    "team", "group_relationship", "routing_form", "form", "routing_form_submission", "actor", "event", "meeting_recap",
    "contact", "custom_field_definition", "contact_list", "note",
}  # fmt: skip

Path = tuple[str | int, ...]


def texts(schema: Json, path: Path = ()) -> Iterator[Path]:
    """Where in the arguments of a tool there is free text."""
    for name, inner in schema.get("properties", {}).items():
        if inner["type"] == "string" and "enum" not in inner:
            yield (*path, name)
        yield from texts(inner, (*path, name))
    if "items" in schema:
        if schema["items"]["type"] == "string" and "enum" not in schema["items"]:
            yield (*path, 0)
        yield from texts(schema["items"], (*path, 0))


WHOLE: dict[str, Any] = {
    "invitee": {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/Berlin"},
    "location": {"kind": "physical", "location": "Room 4"},
    "questions_and_answers": [{"question": "Q", "answer": "A", "choices": ["C"], "position": 0}],
    "tracking": {},
    "event_guests": ["a@b.example"],
    "date_setting": {"type": "spots", "spots": [{"start_time": "2026-12-01T10:00Z", "end_time": "2026-12-01T11:00Z"}]},
    "co_hosts": ["me"],
    "event_types": [UUID],
    "users": ["me"],
    "emails": ["a@b.example"],
    "columns": ["email"],
    "changes": [{"days": "2026-12-04", "hours": "none"}],
    "rules": [{"type": "date", "date": "2026-12-04", "intervals": ["09:00-12:00"]}],
    "availability_rule": {
        "timezone": "Europe/Berlin",
        "user": "me",
        "rules": [{"type": "date", "date": "2026-12-04", "intervals": ["09:00-12:00"]}],
    },
    "invitees": ["Ada"],
    "kinds": ["meeting.booked"],
    "actor": ["me"],
    "namespace": ["User"],
    "action": ["Added"],
    "locations": [{"kind": "physical", "location": "Room 4"}],
    "duration_options": [30],
    "location_configurations": [{"kind": "physical", "location": "Room 4"}],
    "reset": ["name"],
    "clear": ["summary_md"],
    "phone_numbers": [{"phone_number": "+1"}],
    "custom_fields": [{"uuid": UUID, "value": "x"}],
    "options": [{"label": "x"}],
}
"""The objects and lists that texts may be in."""

WHOLE_OF: dict[Path, Any] = {("emails", "email"): [{"email": "a@b.example"}]}
"""Those that another tool has under the same name, by their fields."""


def arguments_with(tool: Tool, path: Path, value: str) -> dict[str, Any]:
    arguments = {**required_arguments(tool)}
    top = str(path[0])
    if len(path) == 1:
        return {**arguments, top: value}
    schema: Any = tool.input_schema["properties"]
    whole = deepcopy(WHOLE_OF.get((top, *path[2:])) or WHOLE[top])
    known = schema[top].get("properties", {})
    if isinstance(whole, dict):
        for name in set(cast("dict[str, object]", whole)) - set(known):
            del whole[name]
    arguments[top] = place = cast("Any", whole)
    for step in path[1:-1]:
        place = place[step]
    place[path[-1]] = value
    return arguments


def is_identifier(path: Path) -> bool:
    return path[0] in IDENTIFIERS and len(path) == 1 + (path[0] in {"co_hosts", "event_types", "users", "actor"})


NAMED = {
    *("actor", "contact", "event_type", "event_types", "owner", "user", "users", "host", "co_hosts"),
    *("schedule", "user_availability_schedule", "team", "group", "contact_list", "routing_form", "form"),
}
"""What may also be written as people name it, in any alphabet."""

NOT_NAMED = {("list_group_relationships", "owner")}
"""What has such a name, and is an id."""


def hostile(tool: Tool, path: Path) -> dict[str, str]:
    if not is_identifier(path):
        return ANYWHERE
    required: Any = tool.input_schema.get("required", ())
    takes_names = path[0] in NAMED and (tool.name, path[0]) not in NOT_NAMED
    harmless = {"another alphabet", "a word", "a space"} if takes_names else set[str]()
    harmless |= {"nothing"} if len(path) == 1 and path[0] not in required else set()  # it stands for absence
    return {name: text for name, text in IN_IDENTIFIERS.items() if name not in harmless}


CASES = [
    (tool, path, value)
    for tool in ALL
    for path in texts(tool.input_schema)
    for value in hostile(tool, path).values()
]  # fmt: skip


@pytest.mark.requirement("outbound-identifiers")
async def test_nothing_leaves_and_it_is_refused_in_one_clear_sentence_about_its_parameter(
    agent: Agent, api: Api
) -> None:
    before = (await api.http.get("/_sandbox/requests")).json()
    for tool, path, value in CASES:
        with case(tool, path, value):
            with pytest.raises(ArgumentError) as refused:
                await agent.call(tool.name, **arguments_with(tool, path, value))
            (fault,) = refused.value.faults
            assert fault.get("parameter") == ".".join(map(str, path))
            assert fault["message"].endswith(".")
            assert len(str(refused.value)) < 400
            assert str(refused.value).isprintable()
    assert agent.sent == list[Request]()
    assert (await api.http.get("/_sandbox/requests")).json() == before


TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


@each("tool", ALL)
@each("value", [7, True, None, [7], {"a": {}}, 1.5])
def test_values_of_a_wrong_type_are_refused_everywhere(tool: Tool, value: object) -> None:
    schema: Any = tool.input_schema
    for name, inner in schema["properties"].items():
        left_out = value is None and name not in schema.get("required", [])
        left_out |= value == [7] and inner.get("items", {}).get("type") in {"integer", "number"}
        if left_out or type(value) in TYPES.get(inner["type"], ()) or value in inner.get("enum", []):
            continue
        with pytest.raises(ArgumentError) as refused:
            tool.parse({**required_arguments(tool), name: value}, ())
        assert {fault.get("parameter", "").split(".")[0] for fault in refused.value.faults} == {name}


@pytest.mark.requirement("unknown-arguments")
@each("tool", ALL)
def test_names_that_it_does_not_have_are_refused(tool: Tool) -> None:
    with pytest.raises(ArgumentError) as refused:
        tool.parse({**required_arguments(tool), "evil\x1b[2J" + LONG: 1}, ())
    (fault,) = refused.value.faults
    parameters = ", ".join(cast("dict[str, object]", tool.input_schema["properties"]))
    assert fault["message"] == f"{tool.name} has no such parameter. It takes {parameters}."
    assert len(str(refused.value)) < 200 + len(parameters)
    assert str(refused.value).isprintable()


PLAIN = (
    *("lee@acme.example", "Europe/Berlin", "2026-12-03T10:00:00Z", "2026-12-24", "https://acme.example/hook", "09:00"),
    *("name", "Ada", "DE", "#8247f5", "mine"),
)
"""What a person can copy with blanks around it."""

AS_WRITTEN = {
    *(
        "page_token",
        "cursor",
        "continue_from",
        "idempotency_key",
        "signing_key",
        "reason",
        "answer",
        "choices",
        "question",
    ),
    *("additional_info", "body", "description", "location", "value"),
    *("summary_md", "action_items_md", "discussion_md"),
}
"""Keys, and longer texts, in which a blank may mean something."""


def test_blanks_around_what_names_something_are_harmless() -> None:
    kept = set[str]()
    for tool in ALL:
        for path in texts(tool.input_schema):
            values = [RESOURCES.get(str(path[0])) or RESOURCES[str(path[0])[:-1]]] if is_identifier(path) else PLAIN
            for value in values:
                try:
                    plain = tool.parse(arguments_with(tool, path, value), ()).values()
                except ArgumentError:
                    continue  # it is something else that stands there
                for blank in (f" {value}", f"{value} ", f"\t{value}\r\n", f"\u00a0{value}"):
                    try:
                        is_same = tool.parse(arguments_with(tool, path, blank), ()).values() == plain
                    except ArgumentError:
                        is_same = False
                    if not is_same:
                        kept.add(str(path[-1] if isinstance(path[-1], str) else path[-2]))
    assert sorted(kept - AS_WRITTEN) == []
