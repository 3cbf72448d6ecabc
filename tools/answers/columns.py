"""Tables of bookings: the columns that an agent asked for, one row an invitee. Pure.

`{"columns": ["name", "answer:1"], "rows": [["Ada", "Tuesday"], ...]}` tells each name of a field
once, so that hundreds of invitees fit into an answer.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from calendly.models import Invitee
from calendly.models.personal import PERSONAL
from tools.answers.local_times import told
from tools.answers.views import Meeting
from tools.times import sent_time, wire

LOCAL_START: Final = "local_start"
"""The column that needs a zone."""

Cell: TypeAlias = str | bool | None

_MOST_COLUMNS: Final = 20
_MOST_QUESTIONS: Final = 5
_ANSWER: Final = re.compile(r"answer:([1-9][0-9]?)")


class Table(TypedDict, total=False):
    """Bookings as rows of cells, in the order of `columns`."""

    columns: list[str]
    rows: Annotated[list[list[str | bool | None]], PERSONAL]
    questions: Annotated[dict[str, list[str]], Field(description="what answer:N answers, where it is known")]


@dataclass(frozen=True, slots=True)
class Booking:
    """One invitee and their meeting, which is empty where no column is about it."""

    invitee: Invitee
    meeting: Meeting


def table(columns: Sequence[str], bookings: Iterable[Booking], zone: tzinfo | None = None) -> Table:
    """Return the columns of some bookings.

    Args:
        columns: Their names, as `Columns` accepts them.
        bookings: What to tell of, a row each.
        zone: The zone of `local_start`, None if it is not known.
    """
    bookings = list(bookings)
    rows = [[_cell(column, booking, zone) for column in columns] for booking in bookings]
    questions = {column: _questions(column, bookings) for column in columns if _ANSWER.fullmatch(column)}
    asked = {column: texts for column, texts in questions.items() if texts}
    found: Table = {"columns": [*columns], "rows": rows}
    return {**found, "questions": asked} if asked else found


def are_about_meeting(columns: Iterable[str]) -> bool:
    """Return whether one of the columns tells of the meeting and not of the invitee."""
    return not _OF_MEETING.keys().isdisjoint(columns)


def _column(name: str) -> str:
    name = name.strip().casefold()
    if name not in _OF_INVITEE and name not in _OF_MEETING and not _ANSWER.fullmatch(name):
        raise ValueError(f"The columns are {', '.join((*_OF_INVITEE, *_OF_MEETING))}, answer:1, answer:2 and so on.")
    return name


def _columns(names: list[str]) -> list[str]:
    if not 0 < len(names) <= _MOST_COLUMNS:
        raise ValueError(f"Name 1 to {_MOST_COLUMNS} columns.")
    return list(dict.fromkeys(names))


def _cell(column: str, booking: Booking, zone: tzinfo | None) -> Cell:
    answer = _ANSWER.fullmatch(column)
    if answer:
        return (_pair(booking.invitee, int(answer[1])) or {}).get("answer")
    if column in _OF_INVITEE:
        return _OF_INVITEE[column](booking.invitee)
    return _OF_MEETING[column](booking.meeting, zone)


def _pair(invitee: Invitee, number: int) -> Mapping[str, Any] | None:
    """Return the question of a number, counted from 1, with its answer; None if there is none.

    Calendly counts positions from 0, and leaves out what was not answered.
    """
    pairs = invitee.get("questions_and_answers") or []
    positions = [pair.get("position") for pair in pairs]
    if None in positions or len(set(positions)) < len(positions):
        positions = [*range(len(pairs))]
    return next((pair for pair, position in zip(pairs, positions, strict=True) if position == number - 1), None)


def _questions(column: str, bookings: Iterable[Booking]) -> list[str]:
    """Return the different questions that a column answers."""
    number = int(column.partition(":")[2])
    pairs = (_pair(booking.invitee, number) or {} for booking in bookings)
    return list(dict.fromkeys(pair["question"] for pair in pairs if pair.get("question")))[:_MOST_QUESTIONS]


def _instant(text: str | None) -> str | None:
    time = sent_time(text)
    return wire(time.replace(microsecond=0)) if time else text


def _uuid(uri: str | None) -> str | None:
    return uri.rpartition("/")[2] if uri else uri


def _local_start(meeting: Meeting, zone: tzinfo | None) -> str | None:
    start = sent_time(meeting.get("start_time"))
    return told(start.astimezone(zone)) if start and zone else None


def _hosts(meeting: Meeting) -> str | None:
    people = (host.get("user_name") or host.get("user_email") for host in meeting.get("event_memberships") or [])
    return ", ".join(filter(None, people)) or None


_OF_INVITEE: Final[Mapping[str, Callable[[Invitee], Cell]]] = {
    "name": lambda invitee: invitee.get("name"),
    "email": lambda invitee: invitee.get("email"),
    "status": lambda invitee: invitee.get("status"),
    "no_show": lambda invitee: bool(invitee.get("no_show")),
    "rescheduled": lambda invitee: invitee.get("rescheduled"),
    "canceled_by": lambda invitee: (invitee.get("cancellation") or {}).get("canceled_by"),
    "reason": lambda invitee: (invitee.get("cancellation") or {}).get("reason"),
    "timezone": lambda invitee: invitee.get("timezone"),
    "text_reminder_number": lambda invitee: invitee.get("text_reminder_number"),
    "created_at": lambda invitee: _instant(invitee.get("created_at")),
    "cancel_url": lambda invitee: invitee.get("cancel_url"),
    "reschedule_url": lambda invitee: invitee.get("reschedule_url"),
    "invitee": lambda invitee: _uuid(invitee.get("uri")),
}
"""Columns about the invitee. The last is the uuid, which tools take with that of the meeting."""

_OF_MEETING: Final[Mapping[str, Callable[[Meeting, tzinfo | None], Cell]]] = {
    "start": lambda meeting, _: _instant(meeting.get("start_time")),
    "end": lambda meeting, _: _instant(meeting.get("end_time")),
    LOCAL_START: _local_start,
    "event_type": lambda meeting, _: meeting.get("name"),
    "host": lambda meeting, _: _hosts(meeting),
    "scheduled_event": lambda meeting, _: _uuid(meeting.get("uri")),
}
"""Columns about the meeting: the event type by its name, the hosts by theirs."""

Columns = Annotated[
    list[Annotated[str, AfterValidator(_column)]],
    AfterValidator(_columns),
    Field(description="rows of these, such as email, start, answer:1"),
]
"""The parameter."""
