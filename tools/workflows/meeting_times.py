"""Finding meeting times: open times of event types and free working hours of people."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from calendly.errors import RateLimited
from calendly.identifiers import EventTypeId, UserId
from calendly.ranges import AVAILABLE_TIMES_DAYS, split
from calendly.side_by_side import side_by_side
from tools.answers.views import MeetingTime
from tools.endpoints.availability import (
    list_event_type_available_times,
    list_user_availability_schedules,
    list_user_busy_times,
)
from tools.fields import EventTypeRef, Minutes, Time, TimeZone, UserRef
from tools.times import sent_time, span, wire, zone_needed, zone_of
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.errors import ArgumentError
from tools.workflows.continuing import ENOUGH_TIME, Continue, Continued, Position
from tools.workflows.free_times import (
    MIDNIGHT,
    WEEKDAYS,
    Hours,
    Span,
    Weekday,
    nearest,
    soonest,
    starts_in,
    without,
    working_spans,
)

meeting_times = Workflows()


def _audited(call: AuditedArguments) -> str:
    counts = [
        (len(call.values.get(name) or ()), noun) for name, noun in (("event_types", "event type"), ("users", "person"))
    ]
    parts = [f"{count} {noun}{'s' if count > 1 else ''}" for count, noun in counts if count]
    whose = f" of {' and '.join(parts)}" if parts else ""
    return f"meeting times{whose}{call.span('start_time', 'end_time')}"


_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
_AFTER_THE_LAST: Final = timedelta(seconds=1)
_STEPS: Final = (timedelta(minutes=30), timedelta(minutes=15))
"""The steps between starts if no event type gives them: half hours, quarters for short meetings."""


def _clock(text: str) -> str:
    if not _CLOCK.fullmatch(text):
        raise ValueError("Expected a time of day such as 09:00.")
    return text


ClockTime = Annotated[str, AfterValidator(_clock)]


class MeetingTimes(Continued, total=False):
    """Meeting times, the best first."""

    collection: list[MeetingTime]
    found: Annotated[int, Field(description="how many there are in what was searched")]
    searched_until: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What is asked for."""

    event_types: Sequence[EventTypeId]
    users: Sequence[UserId]
    length: timedelta
    hours: Hours
    of_any: bool


@dataclass(slots=True)
class _Found:
    """What was found so far, and how far the search came."""

    until: datetime
    open_to: dict[datetime, list[str]] = field(default_factory=dict[datetime, list[str]])


@meeting_times.workflow(
    title="Find meeting times",
    audit=Sentence("look for", _audited),
    needs=(list_event_type_available_times, list_user_busy_times, list_user_availability_schedules),
)
async def find_meeting_times(
    call: Call,
    start_time: Time,
    end_time: Time,
    event_types: Annotated[list[EventTypeRef], Field(max_length=10)] | None = None,
    users: Annotated[list[UserRef], Field(max_length=10)] | None = None,
    duration: Annotated[Minutes, Field(description="minutes that users have to be free")] = 30,
    match: Annotated[Literal["all", "any"], Field(description="any: one of them will do")] = "all",
    weekdays: Annotated[list[Weekday], Field(max_length=7)] | None = None,
    earliest: Annotated[ClockTime, Field(description="begins not before, such as 09:00")] | None = None,
    latest: Annotated[ClockTime, Field(description="over by, such as 12:00")] | None = None,
    prefer: Annotated[ClockTime, Field(description="nearest to this first; else soonest")] | None = None,
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
    wish = _Wish(
        event_types=event_types or (),
        users=[UserId.parse(await call.uri(user) or "") for user in users or ()],
        length=timedelta(minutes=duration),
        hours=_hours(zone, weekdays, earliest, latest),
        of_any=match == "any",
    )
    searched = await _searched(call, start_time, end_time, timezone, continue_from)
    rank = _ranking(zone, per_day, prefer)
    enough = None if prefer else count
    found = await _search(call, wish, searched, lambda starts: enough is not None and len(rank(starts)) >= enough)
    return _answer(found, searched, rank(list(found.open_to)), count, prefers=prefer is not None, of_any=wish.of_any)


Rank = Callable[[Sequence[datetime]], list[datetime]]


def _answer(
    found: _Found, span: Span, ranked: Sequence[datetime], count: int, *, prefers: bool, of_any: bool
) -> MeetingTimes:
    rows = [_row(start, found.open_to[start] if of_any else None) for start in ranked[:count]]
    answer: MeetingTimes = {
        "collection": rows,
        "found": len(found.open_to),
        "searched_until": wire(found.until),
    }
    goes_on = found.until if found.until < span.end else None
    if len(rows) < len(ranked) and not prefers:  # the soonest come first, so whatever remains is after the last row
        goes_on = ranked[count - 1] + _AFTER_THE_LAST
    if goes_on is not None:
        answer["continue_from"] = Position(goes_on).token()
    return answer


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


async def _searched(
    call: Call, start_time: datetime, end_time: datetime, timezone: str | None, token: str | None
) -> Span:
    """Return the range to search: the future part, from where an earlier answer stopped."""
    start, end = await span(call.caller, start_time, end_time, timezone)
    soonest_start = call.caller.now().replace(microsecond=0) + timedelta(minutes=1)
    start = max(start, soonest_start, *([Position.parse(token).start] if token else []))
    if end <= start:
        raise ArgumentError.of("end_time", "Must be in the future.")
    return Span(start, end)


def _ranking(zone: ZoneInfo, per_day: int, prefer: str | None) -> Rank:
    if prefer is None:
        return partial(soonest, zone=zone, per_day=per_day)
    return partial(nearest, zone=zone, per_day=per_day, to=_time_of(prefer, "prefer"))


async def _search(call: Call, wish: _Wish, span: Span, is_enough: Callable[[Sequence[datetime]], bool]) -> _Found:
    """Search window by window until there is enough or time runs short."""
    schedules = await side_by_side([partial(_schedule, call, number, user) for number, user in enumerate(wish.users)])
    found = _Found(span.start)
    for first, last in split(span.start, span.end, AVAILABLE_TIMES_DAYS):
        window = Span(first, last)
        try:
            around = Span(first, min(last + wish.length, span.end))
            found.open_to.update(await _open_in(call, wish, schedules, window, around))
        except RateLimited:
            if found.until == span.start:
                raise
            break
        found.until = last
        await call.caller.report(f"{len(found.open_to)} times found until {last.date().isoformat()}")
        if is_enough(list(found.open_to)) or call.caller.time_left() < ENOUGH_TIME:
            break
    return found


WorkingSpans = Callable[[Span], list[Span]]


async def _schedule(call: Call, number: int, user: UserId) -> WorkingSpans:
    """Return the working hours of a person, as a function of a window."""
    rows = (await call.via(list_user_availability_schedules)(user)).get("collection", [])
    chosen = next((row for row in rows if row.get("default")), rows[0] if rows else None)
    zone = zone_of(chosen.get("timezone")) if chosen else None
    if chosen is None or zone is None:
        raise ArgumentError.of(f"users.{number}", "Calendly tells no working hours of this person.")
    return partial(working_spans, chosen, zone)


async def _open_in(
    call: Call, wish: _Wish, schedules: Sequence[WorkingSpans], window: Span, around: Span
) -> dict[datetime, list[str]]:
    """Return the starts in a window, with the event types and users that are open to each.

    Args:
        call: Of the tool.
        wish: What is asked for.
        schedules: The working hours of each user.
        window: The range of starts.
        around: Where meetings end: a meeting may cross the end of a window.
    """
    slots = await side_by_side([partial(_slots, call, kind, window) for kind in wish.event_types])
    free = await side_by_side(
        [partial(_free, call, user, hours, around) for user, hours in zip(wish.users, schedules, strict=True)]
    )
    step = next((step for step in _STEPS if step <= wish.length), _STEPS[-1])
    bookable = set[datetime]().union(*slots)
    spans = [span for spans in free for span in spans]
    candidates = bookable if wish.event_types else set(starts_in(spans, wish.length, step, wish.hours.zone))
    found: dict[datetime, list[str]] = {}
    for start in sorted(start for start in candidates if window.start <= start < window.end):
        kinds = [kind.uri for kind, starts in zip(wish.event_types, slots, strict=True) if start in starts]
        people = [
            user.uri
            for user, spans in zip(wish.users, free, strict=True)
            if any(span.holds(start, wish.length) for span in spans)
        ]
        is_open = kinds + people if wish.of_any else len(kinds) + len(people) == len(slots) + len(free)
        if is_open and wish.hours.hold(start, wish.length):
            found[start] = kinds + people
    return found


async def _slots(call: Call, kind: EventTypeId, window: Span) -> set[datetime]:
    rows = await call.via(list_event_type_available_times)(kind, window.start, window.end)
    open_rows = (row for row in rows.get("collection", []) if row.get("status", "available") == "available")
    return {start for row in open_rows if (start := sent_time(row.get("start_time")))}


async def _free(call: Call, user: UserId, hours: WorkingSpans, window: Span) -> list[Span]:
    rows = await call.via(list_user_busy_times)(window.start, window.end, user)
    busy: list[Span] = []
    for row in rows.get("collection", []):
        start = sent_time(row.get("buffered_start_time") or row.get("start_time"))
        end = sent_time(row.get("buffered_end_time") or row.get("end_time"))
        if start and end:
            busy.append(Span(start, end))
    return without(hours(window), busy)
