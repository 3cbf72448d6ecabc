"""What a new booking takes over from the meeting that it replaces: who, where, and what was answered. Pure."""

from collections.abc import Mapping
from typing import Any, Final, TypedDict, cast

from calendly import models
from calendly.models.scheduled_event import ScheduledEvent
from tools.booking.create_event_invitee import AnswerGiven, BookingLocationFields, InviteeFields, TrackingFields
from tools.fields import given

_KINDS: Final[Mapping[str, str]] = {"gotomeeting": "gotomeeting_conference"}
"""What is called otherwise where it is read than where it is written."""

_WITH_PLACE: Final = frozenset({"physical", "custom", "ask_invitee", "outbound_call"})
_WITHOUT_PLACE: Final = frozenset(
    {
        "inbound_call",
        "google_conference",
        "gotomeeting_conference",
        "microsoft_teams_conference",
        "webex_conference",
        "zoom_conference",
    }
)
_PERSON: Final = ("email", "timezone", "name", "first_name", "last_name", "text_reminder_number")


class CarriedOver(TypedDict):
    """The arguments of a booking that follow from an earlier one."""

    invitee: InviteeFields
    location: BookingLocationFields | None
    questions_and_answers: list[AnswerGiven] | None
    tracking: TrackingFields | None
    event_guests: list[str] | None


def carried_over(event: ScheduledEvent, invitee: models.Invitee, kind: models.EventType) -> CarriedOver:
    """Return what to book with.

    Args:
        event: The earlier meeting.
        invitee: Who booked it.
        kind: Its event type, as far as it is known.
    """
    tracking = given({name: (invitee.get("tracking") or {}).get(name) for name in TrackingFields.__annotations__})
    return {
        "invitee": cast("InviteeFields", given({name: invitee.get(name) for name in _PERSON})),
        "location": None if kind.get("pooling_type") == "round_robin" else _location(event),
        "questions_and_answers": _answers(invitee) or None,
        "tracking": cast("TrackingFields", tracking) if tracking else None,
        "event_guests": [email for guest in event.get("event_guests") or [] if (email := guest.get("email"))] or None,
    }


def _location(event: ScheduledEvent) -> BookingLocationFields | None:
    """The same place as before, as it is written; None where it cannot be told."""
    place = event.get("location") or {}
    read = place.get("type") or ""
    kind: Any = _KINDS.get(read, read)
    where = place.get("location")
    if kind in _WITH_PLACE and where:
        return {"kind": kind, "location": where}
    return {"kind": kind} if kind in _WITHOUT_PLACE else None


def _answers(invitee: models.Invitee) -> list[AnswerGiven]:
    return [
        {"question": question, "answer": answer, "position": pair.get("position") or 0}
        for pair in invitee.get("questions_and_answers") or []
        if (question := pair.get("question")) and (answer := pair.get("answer"))
    ]
