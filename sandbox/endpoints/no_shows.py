"""No-show marks of invitees. A mark is part of its invitee."""

from collections.abc import Callable
from typing import Final, NamedTuple

from sandbox.booking.bookings import mark_no_show, unmark_no_show
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.invitees import NOT_VIEWABLE
from sandbox.endpoints.scheduled_events import find_event
from sandbox.errors import not_found
from sandbox.records.as_json import JsonObject, no_show_json
from sandbox.records.scheduled_events import StoredInvitee, StoredScheduledEvent


class _Marked(NamedTuple):
    """An invitee and the meeting."""

    event: StoredScheduledEvent
    invitee: StoredInvitee


def create_invitee_no_show(call: EndpointCall) -> JsonObject:
    """Mark an invitee. No source says what a second mark answers: here it is the first one."""
    fields = call.body_fields()
    fields.reference("invitee", "scheduled_events/[^/]+/invitees", required=True)
    fields.check()
    event, invitee = _find(call, lambda one: one.uri == fields.raw("invitee"))
    mark_no_show(call.sandbox, event, invitee)
    return {"resource": no_show_json(invitee)}


def get_invitee_no_show(call: EndpointCall) -> JsonObject:
    """Return one mark."""
    return {"resource": no_show_json(_find(call, _has_mark(call)).invitee)}


def delete_invitee_no_show(call: EndpointCall) -> None:
    """Take a mark back."""
    unmark_no_show(call.sandbox, *_find(call, _has_mark(call)))


def _has_mark(call: EndpointCall) -> Callable[[StoredInvitee], bool]:
    return lambda invitee: invitee.no_show is not None and invitee.no_show[0] == call.path["uuid"]


def _find(call: EndpointCall, is_meant: Callable[[StoredInvitee], bool]) -> _Marked:
    """Return an invitee of a meeting that the caller may see.

    Raises:
        ApiError: 404 or 403.
    """
    for event in call.records.events.values():
        for invitee in filter(is_meant, event.invitees):
            return _Marked(find_event(call, event.id, NOT_VIEWABLE), invitee)
    raise not_found()


ENDPOINTS: Final = (
    SandboxEndpoint("POST", "/invitee_no_shows", ("scheduled_events:write",), 201, create_invitee_no_show),
    SandboxEndpoint("GET", "/invitee_no_shows/{uuid}", ("scheduled_events:read",), 200, get_invitee_no_show),
    SandboxEndpoint("DELETE", "/invitee_no_shows/{uuid}", ("scheduled_events:write",), 204, delete_invitee_no_show),
)
