"""Scheduled events."""

from collections.abc import Callable
from typing import Final

from sandbox.booking.bookings import cancel_event
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, cancellation_json, scheduled_event_json
from sandbox.records.scheduled_events import StoredScheduledEvent
from sandbox.requests.fields import MUST_BE_FILLED, InputFields
from sandbox.requests.permissions import (
    FOREIGN_USER,
    NO_ACCESS,
    known_user,
    require_group,
    require_organization,
    require_user,
)

LONGEST_REASON: Final = 10_000
SORT_KEYS: Final[SortKeys[StoredScheduledEvent]] = {"start_time": lambda event: event.times.start}
NAME_ORGANIZATION: Final = (
    "Please also specify organization when requesting events for a user within your organization."
)

Test = Callable[[StoredScheduledEvent], bool]


def list_scheduled_events(call: EndpointCall) -> JsonObject:
    """List the scheduled events of a user, a group or an organization."""
    fields = call.query_fields()
    whose = {
        name: fields.reference(name, collection)
        for name, collection in (("user", "users"), ("organization", "organizations"), ("group", "groups"))
    }
    tests = _read_filters(fields)
    sort = read_sort(fields, SORT_KEYS, "start_time:asc")
    page = read_page(fields, call.url_path, call.query)
    if not any(fields.has(name) for name in whose):
        for name in whose:
            fields.refuse(name, MUST_BE_FILLED)
    fields.check()
    tests += _permitted(call, whose["user"], whose["organization"], whose["group"])
    now = call.sandbox.clock.now()
    rows = [
        event for event in call.records.events.values() if event.listed_at <= now and all(test(event) for test in tests)
    ]
    return page.answer(sort(rows), lambda event: scheduled_event_json(call.records, event))


def _read_filters(fields: InputFields) -> list[Test]:
    """Read the filters. Both bounds of time are exclusive."""
    email = fields.email("invitee_email").lower()
    status = fields.choice("status", ("active", "canceled"))
    after = fields.time("min_start_time")
    before = fields.time("max_start_time")
    tests: list[Test] = []
    if email:
        tests.append(lambda event: any(person.email.lower() == email for person in event.invitees))
    if status:
        tests.append(lambda event: (event.cancellation is None) == (status == "active"))
    if after is not None:
        tests.append(lambda event: event.times.start > after)
    if before is not None:
        tests.append(lambda event: event.times.start < before)
    return tests


def _permitted(call: EndpointCall, user: str, organization: str, group: str) -> list[Test]:
    """Check that the caller may see these events, and return the tests that select them.

    Raises:
        ApiError: 403 or 404.
    """
    tests: list[Test] = []
    if user:
        _require_user_filter(call, user, organization)
        tests.append(lambda event: user in event.hosts)
    if group:
        members = require_group(call.caller, call.records, group)
        tests.append(lambda event: not members.isdisjoint(event.hosts))
    if organization:
        if user != call.caller.user.id or organization != call.caller.organization.id:
            require_organization(call.caller, call.records, organization)
        tests.append(lambda event: event.organization == organization)
    return tests


def _require_user_filter(call: EndpointCall, user: str, organization: str) -> None:
    person = known_user(call.records, user)
    if person.organization != call.caller.organization.id:
        raise permission_denied(FOREIGN_USER)
    if not organization and person.id != call.caller.user.id:
        raise permission_denied(NAME_ORGANIZATION)
    require_user(call.caller, person, refusal=NO_ACCESS)


def get_scheduled_event(call: EndpointCall) -> JsonObject:
    """Return one scheduled event."""
    event = find_event(call, call.path["uuid"], "You are not allowed to view this event")
    return {"resource": scheduled_event_json(call.records, event)}


def find_event(call: EndpointCall, identifier: str, refusal: str) -> StoredScheduledEvent:
    """Return a scheduled event that the caller may see.

    Raises:
        ApiError: 404, or 403 with the message `refusal`.
    """
    event = call.records.events.get(identifier)
    if event is None or event.refused == "missing":
        raise not_found()
    if event.refused == "forbidden" or not call.caller.may_see(event):
        raise permission_denied(refusal)
    return event


def cancel_scheduled_event(call: EndpointCall) -> JsonObject:
    """Cancel a scheduled event for all its invitees. One that is canceled or past is a 403."""
    fields = call.body_fields()
    reason = fields.text("reason", most=LONGEST_REASON)
    event = find_event(call, call.path["uuid"], "You are not allowed to cancel this event")
    fields.check()
    if event.cancellation is not None:
        raise permission_denied("Event is already canceled")
    if event.times.start <= call.sandbox.clock.now():
        raise permission_denied("Event in the past")
    cancellation = cancel_event(call.sandbox, event, call.caller.user, reason or None)
    return {"resource": cancellation_json(cancellation)}


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/scheduled_events", ("scheduled_events:read",), 200, list_scheduled_events),
    SandboxEndpoint("GET", "/scheduled_events/{uuid}", ("scheduled_events:read",), 200, get_scheduled_event),
    SandboxEndpoint(
        "POST", "/scheduled_events/{uuid}/cancellation", ("scheduled_events:write",), 201, cancel_scheduled_event
    ),
)
