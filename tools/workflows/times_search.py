"""The search for meeting times: window by window, what is open in event types and when people work and are free."""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from calendly.errors import CalendlyError, NotFound, PermissionDenied, RateLimited, Unreachable, UpstreamError
from calendly.identifiers import EventTypeId, UserId
from calendly.ranges import AVAILABLE_TIMES_DAYS, split
from calendly.side_by_side import side_by_side
from tools.endpoints.availability import (
    list_event_type_available_times,
    list_user_availability_schedules,
    list_user_busy_times,
    why_none_is_open,
)
from tools.endpoints.event_types.event_types import get_event_type
from tools.times import TimeRange, sent_length, sent_time
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ToolError
from tools.toolset.wording import one_line
from tools.workflows.continuing import ENOUGH_TIME
from tools.workflows.free_times import Hours, starts_in, without
from tools.workflows.meetings import answer_of
from tools.working_hours import HoursOfHost, Span

T = TypeVar("T")

_STEPS: Final = (timedelta(minutes=30), timedelta(minutes=15))
"""The steps between starts if no event type gives them: half hours, quarters for short meetings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for.

    Attributes:
        length: How long the people have to be free.
        lengths: How long the meetings of the event types are, by URI, as far as that may be read.
        hours: On which weekdays and at which hours.
        of_any: One of the event types and people will do.
    """

    event_types: Sequence[EventTypeId]
    users: Sequence[UserId]
    length: timedelta
    lengths: Mapping[str, timedelta]
    hours: Hours
    of_any: bool


@dataclass(frozen=True, slots=True)
class PersonalHours:
    """The working hours of a person."""

    user: UserId
    hours: HoursOfHost


@dataclass(slots=True)
class FoundTimes:
    """What was found so far, and how far the search came.

    Attributes:
        until: How far the search came.
        working: The working hours of each person.
        names: What the event types and people go by, as far as that may be read.
        open_to: To whom each start is open.
        offered: How many starts each event type and person had.
        outside: How many starts were open, but not on the weekdays and at the hours asked for.
        missing: The event types and people that could not be read where others will do, and why.
    """

    until: datetime
    working: Sequence[PersonalHours] = ()
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    open_to: dict[datetime, list[str]] = field(default_factory=dict[datetime, list[str]])
    offered: Counter[str] = field(default_factory=Counter[str])
    outside: int = 0
    missing: dict[str, str] = field(default_factory=dict[str, str])

    async def read(self, wish: Wish, uri: str, reading: Callable[[], Awaitable[T]]) -> T | None:
        """Return what was read of an event type or a person; None, and why, if that fails and others will do.

        Raises:
            CalendlyError, ToolError: Nobody else will do.
        """
        try:
            return None if uri in self.missing else await reading()
        except (NotFound, PermissionDenied, ArgumentError) as refused:
            if not wish.of_any or len(self.missing) + 1 == len(wish.event_types) + len(wish.users):
                raise
            self.missing[uri] = str(refused) if isinstance(refused, ArgumentError) else answer_of(refused)
            return None


async def search(
    call: Call, wish: Wish, asked: TimeRange, is_enough: Callable[[Sequence[datetime]], bool]
) -> FoundTimes:
    """Search window by window until there is enough or time runs short.

    Raises:
        CalendlyError, ToolError: The first window could not be read.
    """
    found = FoundTimes(asked.start, names=await _names(call, wish))
    hours = [
        partial(found.read, wish, user.uri, partial(_working_hours, call, number, user))
        for number, user in enumerate(wish.users)
    ]
    found.working = [one for one in await side_by_side(hours) if one is not None]
    for first, last in split(asked.start, asked.end, AVAILABLE_TIMES_DAYS):
        try:
            await _add(call, wish, found, Span(first, last), Span(first, min(last + wish.length, asked.end)))
        except (RateLimited, UpstreamError, Unreachable):
            if found.until == asked.start:
                raise
            break
        found.until = last
        await call.caller.report(f"{len(found.open_to)} times found until {last.date().isoformat()}")
        if is_enough(list(found.open_to)) or call.caller.time_left() < ENOUGH_TIME:
            break
    return found


async def _names(call: Call, wish: Wish) -> dict[str, str]:
    """Return the names of the people, and of the event types in which a time is open."""
    kinds = [partial(_named, call, kind) for kind in wish.event_types if wish.of_any]
    found = [(one.uri, one.called) for one in [*wish.users, *await side_by_side(kinds)]]
    bearers = Counter(name for _, name in found)
    return {uri: name if bearers[name] == 1 else f"{name} ({uri})" for uri, name in found if name}


async def lengths_of(call: Call, event_types: Sequence[EventTypeId]) -> dict[str, timedelta]:
    """Return how long the meetings of event types are, by URI, as far as that may be read."""
    if not call.allows(get_event_type):
        return {}
    found = await side_by_side([partial(_length, call, kind) for kind in event_types])
    return {kind.uri: length for kind, length in zip(event_types, found, strict=True) if length}


async def _length(call: Call, kind: EventTypeId) -> timedelta:
    try:
        return sent_length((await call.via(get_event_type)(kind)).get("duration"))
    except (CalendlyError, ToolError):
        return timedelta()


async def _named(call: Call, kind: EventTypeId) -> EventTypeId:
    """Return an event type with its name, as far as it may be read."""
    if kind.called or not call.allows(get_event_type):
        return kind
    try:
        return replace(kind, called=one_line((await call.via(get_event_type)(kind)).get("name")) or None)
    except (CalendlyError, ToolError):
        return kind


async def _working_hours(call: Call, number: int, user: UserId) -> PersonalHours:
    hours = HoursOfHost.of((await call.via(list_user_availability_schedules)(user)).get("collection", []))
    if hours is None:
        raise ArgumentError.of(f"users.{number}", "Calendly tells no working hours of this person.")
    return PersonalHours(user, hours)


async def _add(call: Call, wish: Wish, found: FoundTimes, window: Span, around: Span) -> None:
    """Add the starts in a window, with the event types and users that are open to each.

    Args:
        call: Of the tool.
        wish: What is asked for.
        found: What they are added to.
        window: The range of starts.
        around: Where meetings end: a meeting may cross the end of a window.
    """
    slots = await side_by_side(
        [partial(found.read, wish, kind.uri, partial(_slots, call, kind, window)) for kind in wish.event_types]
    )
    free = await side_by_side(
        [partial(found.read, wish, one.user.uri, partial(_free, call, one, around)) for one in found.working]
    )
    candidates = set[datetime]().union(*(starts or () for starts in slots))
    if not wish.event_types:
        step = next((step for step in _STEPS if step <= wish.length), _STEPS[-1])
        candidates = set(
            starts_in([span for spans in free for span in spans or ()], wish.length, step, wish.hours.zone)
        )
    wanted = len(slots) + len(free)
    for start in sorted(start for start in candidates if window.start <= start < window.end):
        open_to = [kind.uri for kind, starts in zip(wish.event_types, slots, strict=True) if start in (starts or ())]
        open_to += [
            person.user.uri
            for person, spans in zip(found.working, free, strict=True)
            if any(span.holds(start, wish.length) for span in spans or ())
        ]
        found.offered.update(open_to)
        held = [uri for uri in open_to if wish.hours.hold(start, wish.lengths.get(uri, wish.length))]
        if held if wish.of_any else len(held) == wanted:
            found.open_to[start] = held
        elif open_to if wish.of_any else len(open_to) == wanted:
            found.outside += 1


async def _slots(call: Call, kind: EventTypeId, window: Span) -> set[datetime]:
    rows = await call.via(list_event_type_available_times)(kind, window.start, window.end)
    open_rows = (row for row in rows.get("collection", []) if row.get("status", "available") == "available")
    return {start for row in open_rows if (start := sent_time(row.get("start_time")))}


async def _free(call: Call, person: PersonalHours, window: Span) -> list[Span]:
    rows = await call.via(list_user_busy_times)(window.start, window.end, person.user)
    busy: list[Span] = []
    for row in rows.get("collection", []):
        start = sent_time(row.get("buffered_start_time") or row.get("start_time"))
        end = sent_time(row.get("buffered_end_time") or row.get("end_time"))
        if start and end:
            busy.append(Span(start, end))
    return without(person.hours.within(window), busy)


async def why_none(call: Call, wish: Wish, found: FoundTimes, asked: TimeRange) -> str:
    """Say why a search found nothing, as far as that is known."""
    if found.until < asked.end:
        return "There is none in what was searched so far; continue_from goes on."
    if found.outside:
        return f"{found.outside} times are open, but none on the weekdays and at the hours asked for."
    reasons = [
        f"{found.names.get(kind.uri, kind.told)}: {await _why_closed(call, kind, asked)}"
        for kind in wish.event_types
        if not found.offered[kind.uri]
    ]
    searched = Span(asked.start, found.until)
    for person in found.working:
        name = found.names.get(person.user.uri, person.user.uri)
        if not person.hours.within(searched):
            reasons.append(f"{name} has no working hours in that range (in {person.hours.zone}).")
        elif not found.offered[person.user.uri] and not wish.event_types:
            minutes = wish.length // timedelta(minutes=1)
            reasons.append(f"{name} works then, but is never free for {minutes} minutes.")
    return " ".join(reasons) or "Each has times in that range, but none is common to all; match=any lists them."


async def _why_closed(call: Call, kind: EventTypeId, asked: TimeRange) -> str:
    """Say why an event type has no open time in the range."""
    try:
        return await why_none_is_open(call.of(list_event_type_available_times), kind, asked)
    except CalendlyError:
        return "It has no open time in that range."
