"""Invitees, and booking by creating one."""

from typing import Final

from sandbox.booking.bookings import book
from sandbox.booking.request import read_booking
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.endpoints.scheduled_events import find_event
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, invitee_json
from sandbox.records.scheduled_events import StoredInvitee
from sandbox.requests.permissions import NO_ACCESS

SORT_KEYS: Final[SortKeys[StoredInvitee]] = {"created_at": lambda invitee: invitee.created_at}
NOT_VIEWABLE: Final = "You do not have permission to view this event"


def list_event_invitees(call: EndpointCall) -> JsonObject:
    """List the invitees of a meeting."""
    fields = call.query_fields()
    status = fields.choice("status", ("active", "canceled"))
    email = fields.email("email").lower()
    sort = read_sort(fields, SORT_KEYS, "created_at:asc")
    page = read_page(fields, call.url_path, call.query)
    event = find_event(call, call.path["uuid"], NOT_VIEWABLE)
    fields.check()
    now = call.sandbox.clock.now()
    rows = [
        invitee
        for invitee in event.invitees
        if invitee.listed_at <= now
        and email in {"", invitee.email.lower()}
        and status in {"", "active" if invitee.cancellation is None else "canceled"}
    ]
    return page.answer(sort(rows), invitee_json)


def get_event_invitee(call: EndpointCall) -> JsonObject:
    """Return one invitee of a meeting."""
    event = find_event(call, call.path["event_uuid"], NOT_VIEWABLE)
    invitee = next((one for one in event.invitees if one.id == call.path["invitee_uuid"]), None)
    if invitee is None:
        raise not_found()
    return {"resource": invitee_json(invitee)}


def create_event_invitee(call: EndpointCall) -> JsonObject:
    """Book an open slot of an event type of the caller's organization."""
    reading = call.sandbox.spend_booking(call.caller.user)
    if not reading.allowed:
        raise call.sandbox.too_fast(reading)
    fields = call.body_fields()
    event_type = fields.reference("event_type", "event_types", required=True)
    kind = call.records.event_types.get(event_type)
    if event_type and (kind is None or kind.deleted_at is not None):
        raise not_found()
    if kind is not None and kind.organization != call.caller.organization.id:
        raise permission_denied(NO_ACCESS)
    booking = read_booking(fields, kind, method="api", booked_by=call.caller.user.id)
    return {"resource": invitee_json(book(call.sandbox, booking))}


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/scheduled_events/{uuid}/invitees", ("scheduled_events:read",), 200, list_event_invitees),
    SandboxEndpoint(
        "GET",
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}",
        ("scheduled_events:read",),
        200,
        get_event_invitee,
    ),
    SandboxEndpoint("POST", "/invitees", ("scheduled_events:write",), 201, create_event_invitee),
)
