"""Finding meeting times: open times of event types and free working hours of people."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from calendly.identifiers import UserId
from calendly.side_by_side import side_by_side
from tools.answers.views import MeetingTime
from tools.day_hours import parse_clock
from tools.endpoints.availability import (
    list_event_type_available_times,
    list_user_availability_schedules,
    list_user_busy_times,
)
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.users import get_user
from tools.fields import EventTypeRef, Minutes, RangeTime, TimeZone, UserRef
from tools.people import named
from tools.times import Day, TimeRange, coming_span, wire, zone_needed
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import LeftOut
from tools.toolset.searched import FROM_NOW, searched
from tools.workflows.continuing import Continue, Continued, Missing, Position
from tools.workflows.free_times import DailyQuota, Hours, nearest, soonest
from tools.workflows.times_search import FoundTimes, Wish, lengths_of, search, why_none
from tools.working_hours import MIDNIGHT, WEEKDAYS, Weekday

meeting_times = Workflows()


def _audited(call: AuditedArguments) -> str:
    counts = [
        (len(call.values.get(name) or ()), noun) for name, noun in (("event_types", "event type"), ("users", "person"))
    ]
    parts = [f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count]
    whose = f" of {' and '.join(parts)}" if parts else ""
    return f"meeting times{whose}{call.span('start_time', 'end_time')}"


_HALF_HOUR: Final = timedelta(minutes=30)
_AFTER_THE_LAST: Final = timedelta(seconds=1)


ClockTime = Annotated[str, AfterValidator(parse_clock)]


class SchedulesZone(TypedDict, total=False):
    """Whose working hours are meant in which zone: that of the schedule, which may not be the person's."""

    user: str
    timezone: str


class NamedEventType(TypedDict, total=False):
    """Which event type has the name that stands in `open_to`."""

    name: str
    uri: str


class MeetingTimes(Continued, total=False):
    """Meeting times, the best first."""

    collection: list[MeetingTime]
    found: Annotated[int, Field(description="how many there are in what was searched")]
    searched_until: str
    working_hours: Annotated[list[SchedulesZone], Field(description="the zones of the users' schedules")]
    event_types: Annotated[list[NamedEventType], Field(description="with match any: those that were named")]


@meeting_times.workflow(
    title="Find meeting times",
    audit=Sentence("look for", _audited),
    needs=(list_event_type_available_times, list_user_busy_times, list_user_availability_schedules),
    uses=(get_event_type, get_user),
)
async def find_meeting_times(
    call: Call,
    start_time: RangeTime,
    end_time: RangeTime,
    event_types: Annotated[list[EventTypeRef], Field(max_length=10)] | None = None,
    users: Annotated[list[UserRef], Field(max_length=10)] | None = None,
    duration: Annotated[Minutes, Field(description="minutes; default: the event types', else 30")] | None = None,
    match: Annotated[Literal["all", "any"], Field(description="any: one of them will do")] = "all",
    weekdays: Annotated[list[Weekday], Field(max_length=7)] | None = None,
    earliest: Annotated[ClockTime, Field(description="begins not before, such as 09:00")] | None = None,
    latest: Annotated[ClockTime, Field(description="over by, such as 12:00")] | None = None,
    prefer: Annotated[ClockTime, Field(description="time such as 10:00, nearest first; else soonest")] | None = None,
    count: Annotated[int, Field(ge=1, le=100, description="times to answer")] = 10,
    per_day: Annotated[int, Field(ge=1, le=100, description="of each day at most")] = 3,
    timezone: TimeZone | None = None,
    continue_from: Continue = None,
) -> MeetingTimes:
    """Find times for a meeting of one or several event types or people, in up to 366 days.

    Times open in the event types, and times when the users work and are free. Weekdays and hours are those of
    timezone, else yours. Book with create_event_invitee: start_time is date, T and time; timezone that of the row.
    Makes one call a month and event type, one a week and user.
    """
    if not event_types and not users:
        raise ArgumentError.of("event_types", "Name event types, users or both.")
    zone = await zone_needed(call.caller, timezone)
    kinds = list(dict.fromkeys(event_types or ()))
    needs_lengths = latest is not None or (duration is None and bool(users))
    lengths = await lengths_of(call, kinds) if needs_lengths else {}
    wish = Wish(
        event_types=kinds,
        users=list(dict.fromkeys(await side_by_side([partial(_person, call, user) for user in users or ()]))),
        length=timedelta(minutes=duration) if duration else max(lengths.values(), default=_HALF_HOUR),
        lengths=lengths,
        hours=_hours(zone, weekdays, earliest, latest),
        of_any=match == "any",
    )
    token = Position.parse(continue_from) if continue_from else None
    asked = await _range(call, start_time, end_time, timezone, token)
    order = _Order(zone, count, _quota(zone, per_day, token), _time_of(prefer, "prefer") if prefer else None)
    found = await search(call, wish, asked, order.is_enough)
    times = order.ranked(found.open_to)
    if wish.of_any and order.prefer is None:  # a row is a time there, and the soonest come first
        call.resumption.way_on = lambda kept: {"continue_from": order.place(times[kept], times[:kept]).token()}
    answer = _answer(found, asked, order, wish)
    if wish.of_any and wish.event_types:
        answer["event_types"] = [
            {"name": found.names.get(kind.uri, kind.uri), "uri": kind.uri} for kind in wish.event_types
        ]
    if not found.open_to:
        answer["empty_because"] = await why_none(call, wish, found, asked)
    return answer


@dataclass(frozen=True, slots=True)
class _Order:
    """Which times are answered, and in which order.

    Attributes:
        zone: The zone of days and hours.
        count: The most times of one answer.
        quota: The most times of one day.
        prefer: The time of day that the first ones are nearest to; None for the soonest first.
    """

    zone: ZoneInfo
    count: int
    quota: DailyQuota
    prefer: time | None

    def ranked(self, starts: Iterable[datetime]) -> list[datetime]:
        """Return the times in order, without those beyond the quota."""
        if self.prefer is None:
            return soonest(starts, self.zone, self.quota)
        return nearest(starts, self.zone, self.quota, to=self.prefer)

    def is_enough(self, starts: Sequence[datetime]) -> bool:
        """Return whether no further time can come before those found."""
        return self.prefer is None and len(self.ranked(starts)) >= self.count

    def place(self, start: datetime, answered: Sequence[datetime]) -> Position:
        """Return where to go on after an answer."""
        return Position(start, shown=self.quota.used(answered, self.zone, start.astimezone(self.zone).date()))


def _quota(zone: ZoneInfo, per_day: int, token: Position | None) -> DailyQuota:
    return DailyQuota(per_day, token.start.astimezone(zone).date(), token.shown) if token else DailyQuota(per_day)


async def _person(call: Call, user: UserId) -> UserId:
    """Return a person's own id, with their name if it may be read."""
    known = await named(call, user)
    return UserId.parse(await call.uri(known) or "") if known.is_me else known


async def _range(
    call: Call, start: datetime | Day, end: datetime | Day, timezone: str | None, token: Position | None
) -> TimeRange:
    """Return the future part of the range, from where an earlier answer stopped."""
    asked = await coming_span(call.caller, start, end, timezone)
    if token is None or token.start <= asked.start:
        return asked
    if token.start >= asked.end:
        raise ArgumentError.of("continue_from", "It is beyond end_time: leave the other arguments as they were.")
    return TimeRange(token.start, asked.end)


def _answer(found: FoundTimes, asked: TimeRange, order: _Order, wish: Wish) -> MeetingTimes:
    ranked = order.ranked(found.open_to)
    times = ranked[: order.count]
    answer: MeetingTimes = {
        "collection": [
            _row(start, [found.names.get(uri, uri) for uri in found.open_to[start]] if wish.of_any else None)
            for start in times
        ],
        "found": len(found.open_to),
        "searched_until": wire(found.until),
        "searched": searched(
            (" or " if wish.of_any else " and ").join(
                found.names.get(one.uri, one.told) for one in (*wish.event_types, *wish.users)
            ),
            start=asked.start,
            end=found.until,
            note=" ".join(_notes(asked, wish)) or None,
        ),
    }
    if found.working:
        answer["working_hours"] = [
            {"user": found.names.get(one.user.uri, one.user.uri), "timezone": str(one.hours.zone)}
            for one in found.working
        ]
    if found.missing:
        answer["missing"] = [_missing(uri, found) for uri in found.missing]
    is_cut = len(times) < len(ranked)
    if is_cut and order.prefer is None:  # the soonest come first, so whatever remains is after the last row
        answer["continue_from"] = order.place(times[-1] + _AFTER_THE_LAST, times).token()
    elif found.until < asked.end:
        answer["continue_from"] = order.place(found.until, times).token()
    hidden = _left_out(found, order, ranked, is_cut=is_cut)
    return {**answer, "left_out": hidden} if hidden else answer


def _notes(asked: TimeRange, wish: Wish) -> list[str]:
    minutes = wish.length / timedelta(minutes=1)
    free = [f"The people are free for {minutes:g} minutes."] if wish.users else []
    return [*([FROM_NOW] if asked.began else []), *free]


def _missing(uri: str, found: FoundTimes) -> Missing:
    missing: Missing = {"uri": uri, "why": found.missing[uri]}
    return {**missing, "name": found.names[uri]} if uri in found.names else missing


def _left_out(found: FoundTimes, order: _Order, ranked: Sequence[datetime], *, is_cut: bool) -> LeftOut | None:
    """Say how many times per_day, and count with prefer, left out of the answered days."""
    last = ranked[order.count - 1] if is_cut and order.prefer is None else None
    hidden = sum(last is None or start <= last for start in found.open_to.keys() - set(ranked))
    how = [f"per_day={order.quota.per_day} hid {hidden} more of these days: raise it to see them."] if hidden else []
    beyond = len(ranked) - order.count if is_cut and order.prefer is not None else 0
    if beyond:
        how.append(f"{beyond} more are farther from the preferred time: raise count or shorten the range.")
    return {"rows": hidden + beyond, "how_to_go_on": " ".join(how)} if how else None


def _row(start: datetime, open_to: list[str] | None) -> MeetingTime:
    row: MeetingTime = {"start_time": wire(start)}
    return row if open_to is None else {**row, "open_to": open_to}


def _hours(zone: ZoneInfo, weekdays: Sequence[Weekday] | None, earliest: str | None, latest: str | None) -> Hours:
    hours = Hours(
        zone,
        frozenset(map(WEEKDAYS.index, weekdays or WEEKDAYS)),
        _time_of(earliest or "00:00", "earliest"),
        None if latest in {None, MIDNIGHT} else time.fromisoformat(latest or ""),
    )
    if hours.latest is not None and hours.latest <= hours.earliest:
        raise ArgumentError.of("latest", "Must be later than earliest.")
    return hours


def _time_of(clock: str, parameter: str) -> time:
    if clock == MIDNIGHT:
        raise ArgumentError.of(parameter, "No day has a time after 23:59.")
    return time.fromisoformat(clock)
