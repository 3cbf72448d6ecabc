"""Joins what Calendly tells in two parts: the halves of a reschedule, and a no-show mark with its end. Pure.

A half waits for the other, in whichever order they come. The end of a mark waits for the mark where
Calendly does not name it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from events import payload as payloads
from events.identity import Arrival, event_id
from events.kinds import MARKED, UNMARKED

FIRST_WAIT: Final = timedelta(seconds=30)
"""How long a half waits for the other. Then the other is read from Calendly."""

NEXT_WAIT: Final = timedelta(minutes=1)
"""After which the other half is read again where that failed."""

LONGEST_WAIT: Final = timedelta(minutes=10)
"""After which a half is published with what is known."""


class Mark(NamedTuple):
    """A no-show mark of an invitee, or the end of one.

    Attributes:
        kind: `no_show.marked` or `no_show.unmarked`.
        at: When it was made, or ended.
        uri: The URI of the mark, None where that is gone or was never known.
    """

    kind: str
    at: datetime
    uri: str | None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a feed knows under the id of an arrival.

    Attributes:
        waiting: The half that waits, None where the event is published.
    """

    waiting: Arrival | None


def place(arrival: Arrival, stored: Stored | None) -> Arrival | None:
    """Return what takes the place of what is stored under the same id; None where that stays.

    It is to be published if it has no `half`, else it waits.
    """
    if stored is None:
        return arrival
    if stored.waiting is None or stored.waiting.half == arrival.half:
        return None
    return _joined(stored.waiting, arrival)


def joined(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Join the halves among what was found at once; all in the order of what happened."""
    found: dict[str, Arrival] = {}
    for arrival in arrivals:
        earlier = found.get(arrival.event_id)
        placed = place(arrival, None if earlier is None else Stored(earlier if earlier.half else None))
        found[arrival.event_id] = placed or found[arrival.event_id]
    return sorted(found.values(), key=lambda arrival: arrival.occurred_at)


def of_mark(unmark: Arrival, mark: str) -> Arrival:
    """Return the end of a mark that was found."""
    data = {**unmark.data, "no_show": {"uri": mark}}
    return replace(unmark, event_id=event_id(UNMARKED, mark), data=data, half=None)


def ended_mark(unmark: Arrival, marks: Sequence[Mark]) -> str | None:
    """Return the URI of the mark that an unnamed end is about: the last one made before it."""
    before = [mark for mark in marks if mark.kind == MARKED and mark.uri and mark.at <= unmark.occurred_at]
    return max(before, key=lambda mark: mark.at).uri if before else None


def open_marks(marks: Sequence[Mark], present: str | None) -> list[str]:
    """Return the marks of an invitee that have ended unnoticed.

    Args:
        marks: The marks of the invitee that are known, and the ends.
        present: The URI of the mark that the invitee has now.
    """
    ends = [mark for mark in marks if mark.kind == UNMARKED]
    return [
        mark.uri
        for mark in marks
        if mark.kind == MARKED and mark.uri and mark.uri != present and not any(_ends(end, mark) for end in ends)
    ]


def _ends(end: Mark, mark: Mark) -> bool:
    return end.uri == mark.uri if end.uri else mark.at <= end.at


def _joined(waiting: Arrival, arrival: Arrival) -> Arrival:
    if arrival.half is None:
        return arrival
    old, new = (waiting, arrival) if waiting.half == "old" else (arrival, waiting)
    return replace(
        new,
        data=payloads.of_both_halves(old.data, new.data),
        half=None,
        addresses=old.addresses | new.addresses,
    )
