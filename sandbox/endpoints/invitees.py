"""Reading invitees, and booking by creating one."""

from sandbox.booking import book
from sandbox.booking_fields import read_booking
from sandbox.endpoints.call import Call, Endpoint
from sandbox.endpoints.scheduled_events import find_event
from sandbox.errors import not_found, permission_denied
from sandbox.paging import SortKeys, read_page, read_sort
from sandbox.permissions import NO_ACCESS
from sandbox.records import Invitee
from sandbox.shapes import Shape, invitee_shape

SORT_KEYS: SortKeys[Invitee] = {"created_at": lambda invitee: invitee.created_at}
NOT_VIEWABLE = "You do not have permission to view this event"


def list_event_invitees(call: Call) -> Shape:
    """List who booked a meeting."""
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
    return page.answer(sort(rows), invitee_shape)


def get_event_invitee(call: Call) -> Shape:
    """Read one invitee of one meeting."""
    event = find_event(call, call.path["event_uuid"], NOT_VIEWABLE)
    invitee = next((one for one in event.invitees if one.id == call.path["invitee_uuid"]), None)
    if invitee is None:
        raise not_found()
    return {"resource": invitee_shape(invitee)}


def create_event_invitee(call: Call) -> Shape:
    """Book an open slot of any type of the caller's organization."""
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
    return {"resource": invitee_shape(book(call.sandbox, booking))}


ENDPOINTS = (
    Endpoint("GET", "/scheduled_events/{uuid}/invitees", ("scheduled_events:read",), 200, list_event_invitees),
    Endpoint(
        "GET",
        "/scheduled_events/{event_uuid}/invitees/{invitee_uuid}",
        ("scheduled_events:read",),
        200,
        get_event_invitee,
    ),
    Endpoint("POST", "/invitees", ("scheduled_events:write",), 201, create_event_invitee),
)
