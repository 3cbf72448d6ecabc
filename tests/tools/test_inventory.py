"""What every tool must be, whatever it does."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auth.access.levels import CAPABILITIES
from calendly.scopes import SCOPES
from tests.cases import each
from tests.sandbox.api import Json
from tools import ALL, ENDPOINTS, WORKFLOWS, EndpointTool, Tool, Workflow
from tools.confirming import EFFECTS

EACH = each("tool", ALL)
EACH_ENDPOINT = each("tool", ENDPOINTS)
EACH_WORKFLOW = each("tool", WORKFLOWS)

NAMES = [
    "get_current_user",
    "get_user",
    "list_event_types",
    "get_event_type",
    "create_one_off_event_type",
    "list_scheduled_events",
    "get_scheduled_event",
    "cancel_scheduled_event",
    "list_event_invitees",
    "get_event_invitee",
    "create_event_invitee",
    "list_event_type_available_times",
    "list_user_busy_times",
    "list_user_availability_schedules",
    "get_user_availability_schedule",
    "create_single_use_scheduling_link",
    "list_organization_memberships",
    "get_organization_membership",
    "remove_organization_membership",
    "list_organization_invitations",
    "create_organization_invitation",
    "get_organization_invitation",
    "revoke_organization_invitation",
    "list_webhook_subscriptions",
    "create_webhook_subscription",
    "get_webhook_subscription",
    "delete_webhook_subscription",
    "delete_invitee_data",
]

CAPABILITY_OF = {
    "users": "users",
    "one_off_event_types": "event_types",
    "event_types": "event_types",
    "event_type_available_times": "availability",
    "user_busy_times": "availability",
    "user_availability_schedules": "availability",
    "scheduling_links": "scheduling_links",
    "organization_memberships": "organization",
    "organizations": "organization",
    "webhook_subscriptions": "webhooks",
    "data_compliance": "data_deletion",
}
OTHER_CAPABILITIES = {
    "list_scheduled_events": "scheduled_events",
    "get_scheduled_event": "scheduled_events",
    "cancel_scheduled_event": "canceling",
    "list_event_invitees": "invitee_data",
    "get_event_invitee": "invitee_data",
    "create_event_invitee": "booking",
}

DESTRUCTIVE = {
    "cancel_scheduled_event",
    "remove_organization_membership",
    "revoke_organization_invitation",
    "delete_webhook_subscription",
    "delete_invitee_data",
}
WORKFLOW_NAMES = ["find_meeting_times", "get_agenda", "find_bookings", "reschedule_scheduled_event"]
OWN = {"detail", "confirmation", "max_pages", "count", "page_token", "idempotency_key"}

# Keywords that OpenAI, Anthropic and Google all take in the parameters of a tool.
KEYWORDS = {
    "type", "properties", "required", "additionalProperties", "description", "enum", "items", "default",
    "minimum", "maximum", "maxLength", "minItems", "maxItems",
}  # fmt: skip


def nodes(schema: Json) -> Iterator[dict[str, Any]]:
    """A schema and all schemas in it."""
    yield schema
    for inner in [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]:
        yield from nodes(inner)


@pytest.mark.requirement("endpoint-names", "workflow-names")
def test_names_and_order_are_those_of_the_contract() -> None:
    assert [tool.name for tool in ENDPOINTS] == NAMES
    assert [tool.name for tool in WORKFLOWS] == WORKFLOW_NAMES
    assert (*ENDPOINTS, *WORKFLOWS) == ALL


@pytest.mark.requirement("toolset-scheduling")
def test_a_chat_needs_ten_of_them() -> None:
    assert len([tool for tool in ALL if "scheduling" in tool.toolsets]) == 10
    assert all(tool.toolsets[0] == "endpoints" for tool in ENDPOINTS)
    assert all(tool.toolsets == ("workflows",) for tool in WORKFLOWS)


def test_only_bookings_count_as_such_and_only_what_changes_rarely_is_cached() -> None:
    assert {tool.name for tool in ENDPOINTS if tool.endpoint.is_booking} == {"create_event_invitee"}
    cached = {tool.name for tool in ENDPOINTS if tool.endpoint.is_cacheable}
    assert cached == {"get_current_user", "list_event_types", "get_event_type"}


@EACH_ENDPOINT
def test_its_scope_exists_and_its_capability_has_a_row(tool: EndpointTool) -> None:
    assert tool.scope in SCOPES
    assert tool.capability == (OTHER_CAPABILITIES.get(tool.name) or CAPABILITY_OF[tool.endpoint.path.split("/")[1]])
    levels = CAPABILITIES[tool.capability]
    assert ("read" if tool.access == "read" else "full") in levels


@pytest.mark.requirement("hints-true")
@EACH_ENDPOINT
def test_its_hints_are_true(tool: EndpointTool) -> None:
    assert tool.access == ("read" if tool.endpoint.method == "GET" else "write")
    assert tool.destructive == (tool.name in DESTRUCTIVE)
    assert tool.idempotent == (tool.access == "read" or "delete" in tool.name or tool.endpoint.method == "DELETE")


@pytest.mark.requirement("meta-facts")
@EACH_ENDPOINT
def test_its_meta_says_the_facts_and_nothing_empty(tool: EndpointTool) -> None:
    meta = tool.meta
    assert meta["calendly/endpoint"] == f"{tool.endpoint.method} {tool.endpoint.path}"
    assert meta["calendly/scopes"] == [tool.scope]
    assert meta["calendly/access"] == tool.access
    assert meta["calendly/capability"] == tool.capability
    assert meta["calendly/toolset"] == "endpoints"
    assert set(meta) - {f"calendly/{name}" for name in ("endpoint", "scopes", "access", "capability", "toolset")} <= {
        "calendly/webhook_event",
        "calendly/plan",
        "calendly/role",
    }
    assert None not in meta.values()


@pytest.mark.requirement("path-parameters", "meta-placeholders")
@EACH_ENDPOINT
def test_the_placeholders_of_its_endpoint_are_its_own_parameters(tool: EndpointTool) -> None:
    assert set(tool.endpoint.parameters) <= set(tool.model.model_fields)


@pytest.mark.requirement("description-first-sentence")
@EACH
def test_its_description_starts_with_one_short_sentence_that_says_what_it_does(tool: Tool) -> None:
    first = re.split(r"(?<=\.)\s", tool.description)[0]
    assert first.endswith(".")
    assert 20 < len(first) <= 120
    assert first.split()[0] in {
        "Look", "List", "Create", "Cancel", "Book",
        "Reschedule", "Find", "Remove", "Invite", "Revoke", "Subscribe", "Delete",
    }  # fmt: skip
    assert tool.title[0].isupper()
    assert len(tool.title) <= 40


@pytest.mark.requirement("schemas-portable")
@EACH
def test_its_input_schema_is_one_that_every_large_model_provider_takes(tool: Tool) -> None:
    schema: Any = tool.input_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert set(node) <= KEYWORDS
        assert isinstance(node["type"], str)
        assert node.get("default", 0) is not None
        if node["type"] == "object":
            assert node["additionalProperties"] is False


@pytest.mark.requirement("parameters-detail", "parameters-confirmation", "parameters-own-words")
@EACH
def test_our_own_parameters_come_last_and_are_described_in_at_most_eight_words(tool: Tool) -> None:
    properties: Any = tool.input_schema["properties"]
    for name in OWN & set(properties):
        assert 0 < len(properties[name]["description"].split()) <= 8
    assert list(properties)[-1] == ("detail" if tool.access == "read" else "confirmation")
    assert ("detail" in properties) == (tool.access == "read")
    assert ("confirmation" in properties) == (tool.access == "write")


@pytest.mark.requirement("output-schemas-open")
@EACH
def test_its_output_schema_closes_nothing_and_leaves_room_for_an_error(tool: Tool) -> None:
    schema: Any = tool.output_schema
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    for node in nodes(schema):
        assert not {"required", "additionalProperties", "$ref", "title"} & set(node)
    for answer in ({}, {"error": {"kind": "not_found", "status": 404}}, {"something": "new"}):
        jsonschema.validate(answer, schema)


@EACH
def test_what_it_writes_can_be_asked_about(tool: Tool) -> None:
    assert (tool in EFFECTS) == (tool.access == "write")


@EACH
def test_its_function_is_documented_typed_and_called_by_a_behaviour_test(tool: Tool) -> None:
    assert inspect.getdoc(tool.function)
    behaviour = "\n".join(
        path.read_text() for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)
    )
    assert f'call("{tool.name}"' in behaviour


def test_a_name_in_two_tools_would_be_an_error_of_ours() -> None:
    assert len({tool.name for tool in ALL}) == len(ALL)
    assert len({str(tool.endpoint) for tool in ENDPOINTS}) == len(ENDPOINTS) == 28
    assert len(WORKFLOWS) <= 5


@EACH_WORKFLOW
def test_what_is_said_of_a_workflow_follows_from_what_it_calls(tool: Workflow) -> None:
    assert set(tool.calls) <= set(ENDPOINTS)
    assert len(set(tool.calls)) == len(tool.calls)
    assert tool.access == ("write" if tool.writes else "read")
    assert all(endpoint in tool.needs for endpoint in tool.writes)
    assert tool.meta == {
        "calendly/calls": [str(endpoint.endpoint) for endpoint in tool.calls],
        "calendly/scopes": list(tool.scopes),
        "calendly/access": tool.access,
        "calendly/capability": tool.capabilities[0],
        "calendly/capabilities": list(tool.capabilities),
        "calendly/toolset": "workflows",
    }
