"""The meeting that a rescheduling moves: read, and checked for whether it can be moved at all."""

from dataclasses import dataclass
from datetime import datetime

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, InvalidIdentifier
from tools.answers.views import Meeting
from tools.booking.lookup import BookingSought
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.fields import ScheduledEventRef
from tools.times import sent_time
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ToolError
from tools.working_hours import Span

CANCELED = "It is canceled. Book anew with create_event_invitee."


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingToMove:
    """A meeting of one invitee."""

    uri: str
    event: Meeting
    event_type: EventTypeId
    span: Span
    invitee: models.Invitee

    @property
    def is_active(self) -> bool:
        """Whether it still stands."""
        return self.event.get("status") == "active"

    def booked_at(self, start: datetime) -> BookingSought:
        """Return what identifies a booking of the same kind and invitee."""
        return BookingSought(self.event_type, start, self.invitee.get("email") or "")


async def meeting_to_move(call: Call, scheduled_event: ScheduledEventRef) -> MeetingToMove:
    """Read a meeting and its invitee. Raises ArgumentError if such a meeting cannot be moved."""
    event = await call.via(get_scheduled_event)(scheduled_event)
    start, end = (sent_time(event.get(name)) for name in ("start_time", "end_time"))
    if start is None or end is None:
        raise not_movable("Calendly does not say when it is.")
    is_active = event.get("status") == "active"
    page = await call.via(list_event_invitees)(scheduled_event, status="active" if is_active else "canceled", count=2)
    invitees = page.get("collection", [])
    if len(invitees) != 1 or ((event.get("invitees_counter") or {}).get("limit") or 1) > 1:
        raise not_movable("Others have booked or can book it, and they would not move with one invitee.")
    if not invitees[0].get("email"):
        raise not_movable("Calendly does not say who booked it.")
    try:
        event_type = EventTypeId.parse(event.get("event_type") or "")
    except InvalidIdentifier:
        raise not_movable("It has no event type with which it could be booked anew.") from None
    return MeetingToMove(
        uri=event.get("uri") or "",
        event=event,
        event_type=event_type,
        span=Span(start, end),
        invitee=invitees[0],
    )


def check(old: MeetingToMove, start: datetime, now: datetime) -> None:
    """Raise ArgumentError if a standing meeting cannot be moved, or not to that time."""
    if old.span.start <= now:
        raise not_movable("It has begun already or is over.")
    if start == old.span.start:
        raise ArgumentError.of(
            "start_time", "The meeting is at that time already.", "Nothing needs to be moved; tell the user."
        )
    if start <= now:
        raise ArgumentError.of("start_time", "Must be in the future.")


def not_movable(why: str) -> ArgumentError:
    """Return the error for a meeting that cannot be moved."""
    return ArgumentError.of(
        "scheduled_event",
        f"This meeting cannot be moved. {why}",
        "Tell the user why; do not call again for this meeting.",
    )


async def event_type_of(call: Call, old: MeetingToMove) -> models.EventType:
    """Return the event type, empty if it cannot be read: Calendly then checks the booking alone."""
    try:
        return await call.inquire(get_event_type)(old.event_type)
    except (CalendlyError, ToolError):
        return {}
