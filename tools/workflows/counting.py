"""Counts meetings and their invitees by groups. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from itertools import product
from typing import Final, Literal

from calendly.models import Invitee
from calendly.models.scheduled_event import EventMembership
from tools.answers.views import Meeting
from tools.workflows.meetings import starts

GroupBy = Literal["host", "event_type", "day", "week", "month", "status", "canceled_by", "no_show"]

TIMES: Final = frozenset[GroupBy]({"day", "week", "month"})
"""The groups whose rows depend on the zone."""

MISSED: Final = "no_show"
NOT_MARKED: Final = "not_marked"
NOBODY: Final = "nobody"
UNKNOWN: Final = "unknown"

CountRow = list[str | int]
Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountedMeeting:
    """A meeting to count.

    Attributes:
        event: The meeting.
        marks: How many of the invitees who are still booked have each no-show mark.
        cancelers: How many invitees no longer come, by who canceled; nobody's are 0, where the meeting goes on.
    """

    event: Meeting
    marks: Mapping[str, int]
    cancelers: Mapping[str, int]

    @property
    def canceled(self) -> int:
        """How many invitees canceled, or had the meeting canceled."""
        return sum(self.cancelers.values())


@dataclass(slots=True)
class Tally:
    """How many meetings, with how many invitees who are still booked and who are not."""

    meetings: int = 0
    invitees: int = 0
    canceled: int = 0

    def add(self, invitees: int, canceled: int) -> None:
        """Add one meeting."""
        self.meetings += 1
        self.invitees += invitees
        self.canceled += canceled


def invitees_of(event: Meeting) -> tuple[int, int]:
    """Return how many invitees of a meeting are still booked, and how many are not."""
    counter = event.get("invitees_counter") or {}
    booked = counter.get("active") or 0
    return booked, max(0, (counter.get("total") or 0) - booked)


def canceler_of(record: Meeting | Invitee) -> str:
    """Return who canceled a meeting or an invitee's place in it."""
    return (record.get("cancellation") or {}).get("canceler_type") or UNKNOWN


def total_of(meetings: Sequence[CountedMeeting]) -> Tally:
    """Count all meetings."""
    tally = Tally()
    for meeting in meetings:
        tally.add(sum(meeting.marks.values()), meeting.canceled)
    return tally


def rows_of(meetings: Sequence[CountedMeeting], group_by: Sequence[GroupBy], zone: tzinfo) -> list[CountRow]:
    """Count meetings by group: the labels, then the numbers of a `Tally`. Days are in order, else the largest is first.

    A meeting with several hosts counts for each of them, and one with several marks or cancelers too.
    """
    names = _names_of_hosts(meetings) | _names_of_event_types(meetings)
    groups: defaultdict[Labels, Tally] = defaultdict(Tally)
    for meeting in meetings:
        for labels, invitees, canceled in _places(meeting, group_by, zone, names):
            groups[labels].add(invitees, canceled)

    def order(group: tuple[Labels, Tally]) -> tuple[Labels, int, Labels]:
        labels, tally = group
        times = tuple(label for name, label in zip(group_by, labels, strict=True) if name in TIMES)
        return times, -tally.meetings, labels

    return [
        [*labels, tally.meetings, tally.invitees, tally.canceled] for labels, tally in sorted(groups.items(), key=order)
    ]


def _places(
    meeting: CountedMeeting, group_by: Sequence[GroupBy], zone: tzinfo, names: Mapping[str, str]
) -> Iterator[tuple[Labels, int, int]]:
    """Yield each group that a meeting belongs to, with how many of its invitees belong there."""
    labels = [_labels(meeting, name, zone, names) for name in group_by]
    first_mark, first_canceler = next(iter(meeting.marks), None), next(iter(meeting.cancelers), None)
    for group in product(*labels):
        by_name = dict(zip(group_by, group, strict=True))
        mark, canceler = by_name.get("no_show"), by_name.get("canceled_by")
        # Who canceled has no mark, and counts once: with the first. Who comes has no canceler.
        has_canceled, has_booked = mark in {None, first_mark}, canceler in {None, first_canceler}
        if has_canceled or has_booked:
            booked = sum(meeting.marks.values()) if mark is None else meeting.marks.get(mark, 0)
            canceled = meeting.canceled if canceler is None else meeting.cancelers.get(canceler, 0)
            yield group, booked if has_booked else 0, canceled if has_canceled else 0


def _labels(meeting: CountedMeeting, name: GroupBy, zone: tzinfo, names: Mapping[str, str]) -> Sequence[str]:
    if name == "host":
        return [names[_key(host)] for host in _hosts(meeting.event)]
    if name == "no_show":
        return list(meeting.marks)
    if name == "canceled_by":
        return list(meeting.cancelers)
    if name == "event_type":
        return [names[_type_key(meeting.event)]]
    return [_LABELS[name](meeting.event, zone)]


def _hosts(event: Meeting) -> list[EventMembership]:
    return event.get("event_memberships") or [EventMembership()]


def _key(host: EventMembership) -> str:
    return host.get("user") or host.get("user_email") or UNKNOWN


def _names_of_hosts(meetings: Sequence[CountedMeeting]) -> dict[str, str]:
    """Return the name of each host, with the address where several have the same name."""
    people = {_key(host): host for meeting in meetings for host in _hosts(meeting.event)}
    names = {key: host.get("user_name") or host.get("user_email") or key for key, host in people.items()}
    bearers = Counter(names.values())
    return {
        key: name if bearers[name] == 1 else f"{name} ({people[key].get('user_email') or key})"
        for key, name in names.items()
    }


def _type_key(event: Meeting) -> str:
    return f"{event.get('event_type')} {event.get('name')}"


def _names_of_event_types(meetings: Sequence[CountedMeeting]) -> dict[str, str]:
    """Return the name of the event type of each meeting, with its uuid where several have the same name."""
    types = {_type_key(meeting.event): meeting.event for meeting in meetings}
    names = {key: event.get("name") or "(no name)" for key, event in types.items()}
    bearers = Counter(names.values())
    return {
        key: name if bearers[name] == 1 else f"{name} ({(types[key].get('event_type') or UNKNOWN).rpartition('/')[2]})"
        for key, name in names.items()
    }


def _local(pattern: str, *, is_week: bool = False) -> Callable[[Meeting, tzinfo], str]:
    """Return what writes the local date of a meeting, or that of the Monday before."""

    def label(event: Meeting, zone: tzinfo) -> str:
        start = starts(event)
        if start is None:
            return UNKNOWN
        day = start.astimezone(zone).date()
        return (day - timedelta(days=day.weekday() if is_week else 0)).strftime(pattern)

    return label


_LABELS: Final[Mapping[GroupBy, Callable[[Meeting, tzinfo], str]]] = {
    "day": _local("%Y-%m-%d %a"),
    "week": _local("%Y-%m-%d", is_week=True),
    "month": _local("%Y-%m"),
    "status": lambda event, _: event.get("status") or UNKNOWN,
}
"""The label of a meeting by what it is grouped by. A week is named by its Monday."""
