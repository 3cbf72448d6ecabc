"""Calendly's own facts beside each tool, and a Calendly that answers with its documented examples."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from calendly.errors import NotFound
from calendly.identifiers import OrganizationId, UserId
from calendly.ranges import Cap
from calendly.request import JSON, Request
from tests.sandbox.api import MONDAY, Json
from tests.tools.agent import SECONDS
from tools import ENDPOINTS, EndpointTool
from tools.toolset.effects import Effects
from tools.toolset.errors import DeniedByPolicy
from tools.toolset.feed import EventsFound, Feed, FeedQuery, FeedRow, ReceivedEvent, WebhookSwitch
from tools.toolset.identity import Identity
from tools.toolset.ledger import Ledger
from tools.toolset.tool import Tool

Fact = Json

SORTING = "comma-separated list of field:direction"


def sorting_as_elsewhere(fact: Fact) -> Fact:
    """Say of the one sort that is a list what the others say: that its default has a direction shows its items."""
    for parameter in fact["query_params"]:
        if parameter["name"] == "sort" and parameter["type"] == "array":
            parameter.update(enum_fields=parameter.pop("enum"), directions=["asc", "desc"], format=SORTING)
    return fact


CALENDLYS: list[Fact] = [
    sorting_as_elsewhere(fact)
    for fact in json.loads((Path(__file__).parents[1] / "calendly_api/endpoints.json").read_text())
]
"""What Calendly says of all its operations."""

CALENDLY = "https://api.calendly.com"
ME = f"{CALENDLY}/users/2f1c9a7e-5b0d-4a63-9c31-0d8e6f7a1b22"
ORGANIZATION = f"{CALENDLY}/organizations/8d3b1f60-7c42-4e19-a5d7-3e9f0b6c2a11"

EXAMPLES: dict[str, Any] = {
    "user": ME,
    "event_type": f"{CALENDLY}/event_types/b7e2c4d1-93af-4f08-8e65-1a2b3c4d5e6f",
    "scheduled_event": f"{CALENDLY}/scheduled_events/4c9d2e10-6f3b-4b7a-8d21-9e0f1a2b3c4d",
    "invitee": f"{CALENDLY}/scheduled_events/4c9d2e10-6f3b-4b7a-8d21-9e0f1a2b3c4d/invitees/0a1b2c3d-4e5f-4a6b",
    "schedule": f"{CALENDLY}/user_availability_schedules/d4c3b2a1-0f9e-4d8c-9b7a-6e5f4d3c2b1a",
    "membership": f"{CALENDLY}/organization_memberships/5e6f7a8b-1c2d-4e3f-9a0b-6c7d8e9f0a1b",
    "invitation": f"{ORGANIZATION}/invitations/c1d2e3f4-a5b6-4c7d-8e9f-0a1b2c3d4e5f",
    "share": f"{CALENDLY}/shares/9f8e7d6c-5b4a-4392-8171-605f4e3d2c1b",
    "no_show": f"{CALENDLY}/invitee_no_shows/12345678-90ab-4cde-8f01-234567890abc",
    "meeting_recap": f"{CALENDLY}/meeting_recaps/6f5e4d3c-2b1a-4098-8f7e-6d5c4b3a2910",
    "team": f"{CALENDLY}/teams/3c4d5e6f-7081-4293-a4b5-c6d7e8f90a1b",
    "group": f"{CALENDLY}/groups/aa11bb22-cc33-4dd4-8ee5-ff6600778899",
    "group_relationship": f"{CALENDLY}/group_relationships/2b3c4d5e-6f70-4819-92a3-b4c5d6e7f809",
    "routing_form": f"{CALENDLY}/routing_forms/8a9b0c1d-2e3f-4041-9253-647586978a9b",
    "routing_form_submission": f"{CALENDLY}/routing_form_submissions/0d1e2f30-4152-4637-8495-a6b7c8d9eafb",
    "webhook_subscription": f"{CALENDLY}/webhook_subscriptions/9b8a7c6d-5e4f-4d3c-8b2a-1f0e9d8c7b6a",
    "contact": f"{CALENDLY}/contacts/c0a1b2c3-d4e5-4f60-8a7b-9c0d1e2f3a4b",
    "custom_field_definition": f"{CALENDLY}/contacts/custom_field_definitions/7b6a5948-3726-4150-8e9f-0a1b2c3d4e5f",
    "contact_list": f"{CALENDLY}/contact_lists/1a5f7c3e-2b4d-4e6f-8091-a2b3c4d5e6f7",
    "note": f"{CALENDLY}/notes/5e6d7c8b-9a0f-4b1c-8d2e-3f4a5b6c7d8e",
}
"""For each identifier in a path a resource."""


RESOURCES: dict[str, str] = {
    **EXAMPLES,
    "user": ME,
    "host": ME,
    "co_hosts": ME,
    "organization": ORGANIZATION,
    "actor": ME,
    "event": EXAMPLES["scheduled_event"],
    "form": EXAMPLES["routing_form"],
    "user_availability_schedule": f"{CALENDLY}/user_availability_schedules/d4c3b2a1",
    "event_type": f"{CALENDLY}/event_types/b7e2c4d1",
    "owner": f"{CALENDLY}/event_types/b7e2c4d1",
    "url": "https://hooks.northwind.example/calendly",
    "linkedin": "https://linkedin.example/in/lee",
}
"""A resource for each parameter that takes a URI."""


@cache
def shape(path: str) -> str:
    """A path without the names of its placeholders."""
    return re.sub(r"\{\w+\}", "{}", path)


@cache
def fact_of(tool: EndpointTool) -> Fact:
    """What Calendly says of the tool's operation."""
    wanted = (tool.endpoint.method, shape(tool.endpoint.path))
    found = [fact for fact in CALENDLYS if (fact["method"], shape(fact["path"])) == wanted]
    assert len(found) == 1, f"Add Calendly's facts of {tool.endpoint} to tests/calendly_api/endpoints.json, once."
    return found[0]


def answer_of(fact: Fact) -> JSON:
    """What Calendly answers: its example, and where it has none one that fits what it says of the answer."""
    is_without = fact["example_response"] is None and fact["response"]
    answer: JSON = example_of("", fact["response"]) if is_without else fact["example_response"] or {}
    return answer


@cache
def documented(method: str, path: str) -> JSON:
    """What an operation answers; the names of its placeholders are left out."""
    (fact,) = [fact for fact in FACTS if (fact["method"], shape(fact["path"])) == (method, path)]
    return answer_of(fact)


TOOL_FACTS = [(tool, fact_of(tool)) for tool in ENDPOINTS]
FACTS: list[Fact] = [fact for _, fact in TOOL_FACTS]


ENOUGH: dict[str, dict[str, Any]] = {
    "find_meeting_times": {"event_types": [EXAMPLES["event_type"]], "timezone": "Europe/Berlin"},
    "get_agenda": {"timezone": "Europe/Berlin"},
    "change_working_hours": {"changes": [{"days": "2026-12-04", "hours": "09:00-12:00"}]},
    "mark_no_shows": {"invitees": [EXAMPLES["invitee"]]},
    "create_note": {"body": "Wants a two-year term."},
    "create_contact_custom_field_definition": {"options": [{"label": "Mid-market"}]},
}
"""Without these a tool asks for more before it asks Calendly."""


TIMES = {"start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-05T00:00:00Z"}
"""A range that takes in what `text_of` writes for each of its ends."""


def required_arguments(tool: Tool) -> dict[str, Any]:
    """Arguments that are enough for the tool, as in Calendly's example."""
    example: dict[str, Any] = fact_of(tool)["example_request"] if isinstance(tool, EndpointTool) else {}
    body: dict[str, Any] = example.get("json") or {}
    query = {
        "event_type": EXAMPLES["event_type"],
        "form": EXAMPLES["routing_form"],
        "event": "invitee.created",
        **TIMES,
    }
    wanted: Any = tool.input_schema.get("required", [])
    beside = ENOUGH.get(tool.name, {})
    if isinstance(tool, EndpointTool) and tool.endpoint.method == "PATCH":
        beside = {**beside, **body}
    found = {name: body.get(name) or EXAMPLES.get(name) or query[name] for name in wanted if name not in beside}
    return {**found, **beside}


@dataclass
class NewKeys:
    """A `tools.toolset.ledger.Ledger` to which every key is new.

    Attributes:
        reserved: The keys that were taken.
    """

    reserved: list[str] = field(default_factory=list[str])

    async def recall(self, key: str, arguments: Mapping[str, object]) -> None:
        """Know nothing of a key."""

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> None:  # noqa: ARG002 - the Protocol has it
        """Take a key."""
        self.reserved.append(key)

    async def release(self, key: str) -> None:
        """Have nothing to give back."""

    async def settle(self, key: str, arguments: Mapping[str, object], answer: JSON) -> None:
        """Keep nothing."""

    async def forget(self, addresses: Collection[str]) -> None:
        """Have nothing to forget."""


class OneEvent:
    """A `tools.toolset.feed.Feed` with one event."""

    async def read(self, query: FeedQuery) -> EventsFound:  # noqa: ARG002 - the Protocol has it
        """Return it."""
        return EventsFound(
            rows=[FeedRow({"event_id": "evt_1", "kind": "meeting.booked"}, "c1-00000000-1")],
            cursor="c1-00000000-1",
            has_more=False,
            is_truncated=False,
            source="polling",
            checked_at=None,
            since="2026-11-30T00:00:00Z",
        )

    async def event(self, event_id: str) -> ReceivedEvent | None:
        """Return it, under any id."""
        return {"event_id": event_id, "kind": "meeting.booked"}


@dataclass
class Documented:
    """Calendly as its documentation has it: every operation answers its example. A `tools.toolset.declaring.Caller`.

    Attributes:
        only: The tool whose operation is answered; None for all of them.
        sent: What was answered.
        keys: Its idempotency keys.
    """

    only: EndpointTool | None = None
    sent: list[Request] = field(default_factory=list[Request])
    keys: NewKeys = field(default_factory=NewKeys)
    available_times_cap: Cap = field(default_factory=lambda: Cap(31))

    async def identity(self) -> Identity:
        """Say that the caller is who stands in the examples."""
        return Identity(UserId.parse(ME), OrganizationId.parse(ORGANIZATION), "Europe/Lisbon")

    async def ledger(self) -> Ledger:
        """Know no key."""
        return self.keys

    async def feed(self) -> Feed:
        """Know of one event."""
        return OneEvent()

    async def webhooks(self) -> WebhookSwitch:
        """Have an address to which Calendly cannot post."""
        raise DeniedByPolicy("Calendly cannot post to a documented caller.")

    async def forget(self, addresses: Collection[str]) -> None:
        """Have nothing to forget."""

    async def precheck(self, tool: Tool, effects: Effects) -> None:
        """Refuse nothing."""

    async def authorize(self, tool: Tool, effects: Effects) -> None:
        """Allow everything."""

    def allows(self, tool: Tool) -> bool:  # noqa: ARG002 - the Protocol has it
        """Allow everything."""
        return True

    def time_left(self) -> float:
        """Have all the time there is."""
        return SECONDS

    async def report(self, message: str) -> None:
        """Tell nobody."""

    async def send(self, request: Request) -> JSON:
        """Answer the example of the operation."""
        if self.only is not None and request.endpoint != self.only.endpoint:
            raise NotFound("Nobody may see this.", status=404)
        self.sent.append(request)
        return documented(request.endpoint.method, shape(request.endpoint.path))

    async def pause(self, seconds: float) -> bool:
        """Have no time to wait."""
        return seconds < 0

    def now(self) -> datetime:
        """Say what time it is in all tests."""
        return MONDAY


def leaves(schema: Fact, path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every field of a JSON Schema by its dotted path, with the types it may have; variants are taken together."""
    for variant in schema.get("oneOf", []):
        yield from leaves(variant, path)
    for name, field_schema in schema.get("properties", {}).items():
        types = field_schema.get("type", [])
        yield f"{path}{name}", {types} if isinstance(types, str) else set(types)
        yield from leaves(field_schema, f"{path}{name}.")
    if "items" in schema:
        yield from leaves(schema["items"], f"{path}[].")


def example_of(name: str, schema: Fact) -> Fact:
    """A value that fits what Calendly says of a field: every property there is, and one item of a list."""
    if "enum" in schema:
        return schema["enum"][-1]
    kinds: list[str] | str = schema.get("type", "string" if name == "value" else "object")
    match kinds if isinstance(kinds, str) else kinds[0]:
        case "object":
            properties = schema.get("properties", {})
            fields = {field: example_of(field, inner) for field, inner in properties.items()}
            return {field: value for field, value in fields.items() if _belongs(properties[field], fields)}
        case "array":
            return [example_of(name, schema.get("items", {**schema, "type": "string"}))]
        case "boolean":
            return name == "is_primary"  # one of them has to be
        case "integer" | "number":
            return schema.get("min", schema.get("minimum", 1))
        case _:
            return text_of(name, schema)


def _belongs(schema: Fact, fields: Fact) -> bool:
    """Whether a field goes with the type of its object: Calendly says of some with which they do."""
    wanted = re.match(r"when type is (\w+)", schema.get("description", ""))
    return wanted is None or fields["type"] == wanted[1]


def uri_of(name: str, schema: Fact) -> str:
    """A resource that a field can name: by what Calendly says of the field, else by its name."""
    if "membership" in schema.get("notes", ""):
        return str(EXAMPLES["membership"])
    return ME if schema.get("description") == "user URI" else RESOURCES.get(name, "")


def text_of(name: str, schema: Fact) -> str:
    if schema.get("pattern") == r"\d\d:\d\d":
        return {"from": "09:00", "to": "17:00"}[name]
    month = "2026-01" if "past" in schema.get("description", "") else "2026-12"
    formats = {
        "uri": uri_of(name, schema),
        "email": "lee@acme.example",
        "date-time": f"{month}-03T{11 if name == 'end_time' else 10}:00:00Z",
        "date": {"start_date": "2026-12-01", "end_date": "2026-12-05", "date": "2026-12-24"}.get(name, ""),
        SORTING: f"{schema.get('enum_fields', [''])[0]}:desc",
        "comma-separated list of URIs": RESOURCES.get(name, ""),
    }
    short = {"timezone": "Europe/Lisbon", "country": "PT", "currency": "EUR"}
    if schema.get("pattern", "").startswith("^#"):
        return "#8247f5"
    return formats.get(schema.get("format", ""), short.get(name, "some text"))
