"""What a new booking copies from the meeting that it replaces: invitee, location, answers. Pure."""

from typing import Any, Final, TypedDict, cast

from calendly import models
from calendly.models.location_kinds import PLACE_NEEDED, written_kind
from calendly.models.scheduled_event import ScheduledEvent
from tools.booking.checks import hosts_take_turns
from tools.booking.create_event_invitee import AnswerGiven, BookingLocationFields, InviteeFields, TrackingFields
from tools.fields import given

_PERSON: Final = ("email", "timezone", "name", "first_name", "last_name", "text_reminder_number")


class CarriedOver(TypedDict):
    """The arguments of a booking that come from an earlier one."""

    invitee: InviteeFields
    location: BookingLocationFields | None
    questions_and_answers: list[AnswerGiven] | None
    tracking: TrackingFields | None
    event_guests: list[str] | None


def carried_over(event: ScheduledEvent, invitee: models.Invitee, kind: models.EventType) -> CarriedOver:
    """Return the arguments of the new booking.

    Args:
        event: The earlier meeting.
        invitee: Who booked it.
        kind: Its event type, empty if unknown.
    """
    tracking = given({name: (invitee.get("tracking") or {}).get(name) for name in TrackingFields.__annotations__})
    return {
        # Calendly wants a zone when booking, and can have none of an earlier invitee.
        "invitee": cast("InviteeFields", {"timezone": "UTC", **given({name: invitee.get(name) for name in _PERSON})}),
        "location": None if hosts_take_turns(kind) else _location(event),
        "questions_and_answers": _answers(invitee) or None,
        "tracking": cast("TrackingFields", tracking) if tracking else None,
        "event_guests": [email for guest in event.get("event_guests") or [] if (email := guest.get("email"))] or None,
    }


def _location(event: ScheduledEvent) -> BookingLocationFields | None:
    """Return the location of a meeting as an argument; None if it is not known."""
    place = event.get("location") or {}
    kind: Any = written_kind(place.get("type") or "")
    if kind not in PLACE_NEEDED:
        return {"kind": kind} if kind else None
    where = place.get("location")
    return {"kind": kind, "location": where} if where else None


def _answers(invitee: models.Invitee) -> list[AnswerGiven]:
    return [
        {"question": question, "answer": answer, "position": pair.get("position") or 0}
        for pair in invitee.get("questions_and_answers") or []
        if (question := pair.get("question")) and (answer := pair.get("answer"))
    ]
