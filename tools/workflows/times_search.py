"""The search for meeting times: window by window, what is open in event types and when people work and are free."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from calendly.errors import CalendlyError, NotFound, PermissionDenied, RateLimited, Unreachable, UpstreamError
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId
from calendly.models import EventType
from calendly.ranges import AVAILABLE_TIMES_DAYS, split
from calendly.side_by_side import side_by_side
from tools.endpoints.availability import (
    list_event_type_available_times,
    list_user_availability_schedules,
    list_user_busy_times,
    why_none_is_open,
)
from tools.endpoints.event_types import get_event_type
from tools.times import TimeRange, sent_time
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ToolError
from tools.workflows.continuing import ENOUGH_TIME
from tools.workflows.free_times import Hours, Span, starts_in, without, working_spans
from tools.workflows.meetings import answer_of
from tools.zones import zone_of

T = TypeVar("T")

_STEPS: Final = (timedelta(minutes=30), timedelta(minutes=15))
"""The steps between starts if no event type gives them: half hours, quarters for short meetings."""

WorkingSpans = Callable[[Span], list[Span]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for."""

    event_types: Sequence[EventTypeId]
    users: Sequence[UserId]
    length: timedelta
    hours: Hours
    of_any: bool


@dataclass(frozen=True, slots=True)
class PersonalHours:
    """The working hours of a person, in the zone of their schedule."""

    user: UserId
    zone: ZoneInfo
    spans: WorkingSpans


@dataclass(slots=True)
class FoundTimes:
    """What was found so far, and how far the search came.

    Attributes:
        until: How far the search came.
        working: The working hours of each person.
        open_to: To whom each start is open.
        offered: How many starts each event type and person had.
        outside: How many starts were open, but not on the weekdays and at the hours asked for.
        missing: The event types and people that could not be read where others will do, and why.
    """

    until: datetime
    working: Sequence[PersonalHours] = ()
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
    found = FoundTimes(asked.start)
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


async def _working_hours(call: Call, number: int, user: UserId) -> PersonalHours:
    rows = (await call.via(list_user_availability_schedules)(user)).get("collection", [])
    chosen = next((row for row in rows if row.get("default")), rows[0] if rows else None)
    zone = zone_of(chosen.get("timezone")) if chosen else None
    if chosen is None or zone is None:
        raise ArgumentError.of(f"users.{number}", "Calendly tells no working hours of this person.")
    return PersonalHours(user, zone, partial(working_spans, chosen, zone))


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
        if open_to if wish.of_any else len(open_to) == wanted:
            if wish.hours.hold(start, wish.length):
                found.open_to[start] = open_to
            else:
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
    return without(person.spans(window), busy)


async def why_none(call: Call, wish: Wish, found: FoundTimes, asked: TimeRange) -> str:
    """Say why a search found nothing, as far as that is known."""
    if found.until < asked.end:
        return "There is none in what was searched so far; continue_from goes on."
    if found.outside:
        return f"{found.outside} times are open, but none on the weekdays and at the hours asked for."
    reasons = [
        f"{kind.uri}: {await _why_closed(call, kind, asked)}"
        for kind in wish.event_types
        if not found.offered[kind.uri]
    ]
    searched = Span(asked.start, found.until)
    for person in found.working:
        if not person.spans(searched):
            reasons.append(f"{person.user.uri} has no working hours in that range (in {person.zone}).")
        elif not found.offered[person.user.uri] and not wish.event_types:
            minutes = wish.length // timedelta(minutes=1)
            reasons.append(f"{person.user.uri} works then, but is never free for {minutes} minutes.")
    return " ".join(reasons) or "Each has times in that range, but none is common to all; match=any lists them."


async def _why_closed(call: Call, kind: EventTypeId, asked: TimeRange) -> str:
    """Say why an event type has no open time in the range."""
    try:
        facts = await call.via(get_event_type)(kind) if call.allows(get_event_type) else EventType()
        if facts.get("active") is False:
            return "It is switched off, so nobody can book it."
        nearest = await why_none_is_open(call.of(list_event_type_available_times), kind, asked)
    except CalendlyError:
        return "It has no open time in that range."
    return f"{await _hours_of_host(call, facts, asked)}{nearest}"


async def _hours_of_host(call: Call, kind: EventType, asked: TimeRange) -> str:
    """Say that the host does not work in the range, as a sentence; empty otherwise, or if that is not known."""
    try:
        host = await _working_hours(call, 0, UserId.parse((kind.get("profile") or {}).get("owner") or ""))
    except (CalendlyError, ToolError, InvalidIdentifier):
        return ""
    works = host.spans(Span(asked.start, asked.end))
    return "" if works else f"Its host has no working hours then (by the default schedule, in {host.zone}). "
