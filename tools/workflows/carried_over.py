"""What a new booking takes from the meeting that it replaces, and what of it no longer fits. Pure.

The event type may have changed since: what still fits goes along, the only location is taken, and the
rest is told. What only a person can decide is an obstacle.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypedDict, cast

from typing_extensions import override

from calendly import models
from calendly.models.location_kinds import NAMED_BY_INVITEE, PLACE_NEEDED, written_kind
from calendly.models.scheduled_event import ScheduledEvent
from calendly.third_party_text import exactly
from tools.bodies import given
from tools.booking.answers import CarriedAnswers, kept
from tools.booking.checks import hosts_take_turns, location_faults, only_location, quoted, state_faults
from tools.booking.create_event_invitee import AnswerGiven, BookingLocationFields, InviteeFields, TrackingFields
from tools.matching import the_one
from tools.times import sent_time

_PERSON: Final = ("email", "timezone", "name", "first_name", "last_name", "text_reminder_number")
_MOST_GUESTS: Final = 10


class CarriedOver(TypedDict):
    """The arguments of a booking that come from an earlier one."""

    invitee: InviteeFields
    location: BookingLocationFields | None
    questions_and_answers: list[AnswerGiven] | None
    tracking: TrackingFields | None
    event_guests: list[str] | None


@dataclass(frozen=True, slots=True)
class Change:
    """What a new booking does not keep.

    Attributes:
        phrase: It, for a person; `{}` stands for `text`.
        text: What others typed, None where it is told without that.
        label: What `text` is, where it stands apart from our words; empty without it.
    """

    phrase: str
    text: str | None = None
    label: str = ""

    @override
    def __str__(self) -> str:
        return self.phrase if self.text is None else self.phrase.format(quoted(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class CarryOver:
    """What a new booking keeps of the old one.

    Attributes:
        arguments: The arguments of that booking.
        changes: What does not go along, or becomes otherwise.
        obstacles: Why it cannot be booked without a person: sentences.
    """

    arguments: CarriedOver
    changes: list[Change]
    obstacles: list[str]


def carry_over(event: ScheduledEvent, invitee: models.Invitee, kind: models.EventType, zone: str) -> CarryOver:
    """Return what the new booking keeps.

    Args:
        event: The earlier meeting.
        invitee: Who booked it.
        kind: Its event type as it is now, empty if unknown.
        zone: The invitee's zone where Calendly does not know it.
    """
    tracking = given({name: (invitee.get("tracking") or {}).get(name) for name in TrackingFields.__annotations__})
    guests = [email for guest in event.get("event_guests") or [] if (email := guest.get("email"))]
    answers = kept(kind, _answers(invitee))
    place, moved, unclear = _place(event, kind)
    person = given({name: invitee.get(name) for name in _PERSON})
    off = [fault["message"] for fault in state_faults(kind)]
    return CarryOver(
        arguments={
            "invitee": cast("InviteeFields", {"timezone": zone, **person}),
            "location": place,
            "questions_and_answers": cast("list[AnswerGiven]", answers.answers) or None,
            "tracking": cast("TrackingFields", tracking) if tracking else None,
            "event_guests": guests[:_MOST_GUESTS] or None,
        },
        changes=[*moved, *_dropped(answers), *map(Change, _other_changes(event, invitee, kind))],
        obstacles=off or [*answers.missing, *unclear],
    )


def _other_changes(event: ScheduledEvent, invitee: models.Invitee, kind: models.EventType) -> list[str]:
    """Return what a new booking cannot keep whatever the event type asks."""
    start, end = (sent_time(event.get(name)) for name in ("start_time", "end_time"))
    was, becomes = (end - start).total_seconds() / 60 if start and end else None, kind.get("duration")
    changes = [f"it lasts {becomes:g} minutes instead of {was:g}"] if was and becomes and was != becomes else []
    if invitee.get("payment") or kind.get("is_paid"):
        changes.append("a payment stays with the old booking, and the new one is unpaid")
    if hosts_take_turns(kind):
        changes.append("the hosts take turns, so another one may host it")
    if len(event.get("event_guests") or []) > _MOST_GUESTS:
        changes.append(f"only {_MOST_GUESTS} of the guests go along")
    return changes


def _dropped(answers: CarriedAnswers) -> list[Change]:
    phrase = "the answer to {} is left out, as it no longer fits"
    return [Change(phrase, question, "Answer left out, as it no longer fits") for question in answers.dropped]


def _place(
    event: ScheduledEvent, kind: models.EventType
) -> tuple[BookingLocationFields | None, list[Change], list[str]]:
    """Return the location, what changes with it, and why there is none although one is needed."""
    old, offered = _location(event), [place for place in kind.get("locations") or [] if place.get("kind")]
    was = written_kind((event.get("location") or {}).get("type") or "")
    if hosts_take_turns(kind):
        chosen = [name for place in offered if (name := written_kind(place.get("kind") or ""))]
        is_other = was and chosen and was not in chosen
        return None, [Change(f"the location {was} becomes {' or '.join(chosen)}")] if is_other else [], []
    if not offered:
        left_out = [Change(f"the location {was} is left out, as the event type has none now")] if was else []
        return (None, left_out, []) if kind else (old, [], [])
    same = [place.get("location") for place in offered if old and place.get("kind") == old["kind"]]
    if old and same:
        texts = [text for text in same if text]
        if old["kind"] in NAMED_BY_INVITEE or old["kind"] not in PLACE_NEEDED or not texts:
            return old, [], []
        found = the_one(old.get("location") or "", texts) or (texts[0] if len(set(texts)) == 1 else None)
        if found:
            new: BookingLocationFields = {"kind": old["kind"], "location": exactly(found)}
            return new, _moved_to(found, old.get("location")), []
    only = only_location(kind)
    if only is not None:
        return cast("BookingLocationFields", dict(only)), _becomes(was, only), []
    return None, [], [fault["message"] for fault in location_faults(kind, None)]


def _becomes(was: str | None, only: Mapping[str, str]) -> list[Change]:
    """Return what changes where the only location is taken in place of one that is of another kind or not told."""
    place = only.get("location")
    told = [Change("the place is now {}", place, "New place")] if place else []
    if was == only["kind"]:
        return told
    return [
        Change(f"the location {was} becomes {only['kind']}" if was else f"the location is now {only['kind']}"),
        *told,
    ]


def _moved_to(place: str, old: str | None) -> list[Change]:
    return [] if place == old else [Change("the place is now {}", place, "New place")]


def _location(event: ScheduledEvent) -> BookingLocationFields | None:
    """Return the location of a meeting as an argument; None if it is not known."""
    place = event.get("location") or {}
    kind: Any = written_kind(place.get("type") or "")
    if kind not in PLACE_NEEDED:
        return {"kind": kind} if kind else None
    where = place.get("location")
    return {"kind": kind, "location": exactly(where)} if where else None


def _answers(invitee: models.Invitee) -> list[AnswerGiven]:
    return [
        {"question": exactly(question), "answer": exactly(answer), "position": pair.get("position") or 0}
        for pair in invitee.get("questions_and_answers") or []
        if (question := pair.get("question")) and (answer := pair.get("answer"))
    ]
