"""Availability: when meetings can be booked, and when they cannot."""

from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from typing import Final

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId
from calendly.ranges import BUSY_TIMES_DAYS, Cap, fetch_range
from tools.answers.views import Busy, OpenTimes
from tools.endpoints.event_types.event_types import get_event_type
from tools.fields import EventTypeRef, RangeTime, ScheduleRef, TimeZone, UserRef
from tools.times import TimeRange, coming_span, sent_time, soon, wire
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ToolError
from tools.toolset.lists import Rows, rows_of
from tools.toolset.searched import FROM_NOW, Searched, searched, whose
from tools.working_hours import HoursOfHost, Span

_AROUND: Final = timedelta(days=31)
"""How far before and after a range without open times the nearest ones are looked for."""

availability = Toolset()


def _audited_open_times(call: AuditedArguments) -> str:
    event_type = call.given("event_type", " {}")
    return f"the open times of the event type{event_type}{call.span('start_time', 'end_time')}"


@availability.tool(
    "GET",
    "/event_type_available_times",
    title="List available times",
    scope="availability:read",
    capability="availability",
    audit=Sentence("list", _audited_open_times),
    presets=("scheduling",),
)
async def list_event_type_available_times(
    call: Call, event_type: EventTypeRef, start_time: RangeTime, end_time: RangeTime, timezone: TimeZone | None = None
) -> Rows[OpenTimes]:
    """Find open times (free slots) when an event type can be booked, in a future range of up to 366 days.

    Book one with create_event_invitee: start_time is date, T and time; timezone that of the row.
    """
    asked = await coming_span(call.caller, start_time, end_time, timezone)
    rows = await _open_times(call, event_type, asked)
    nothing = "None is open." if rows or call.is_part else await why_none_is_open(call, event_type, asked)
    return rows_of(rows, _looked(f"the event type {event_type.told}", asked), nothing)


async def why_none_is_open(call: Call, event_type: EventTypeId, asked: TimeRange) -> str:
    """Say why an event type has no open time in a range, and where the nearest are. `call` is that of its tool."""
    kind = await _kind(call, event_type)
    if kind.get("active") is False:
        return "It is switched off, so nobody can book it."
    return f"{await _hours_of_host(call, kind, asked)}{await _nearest(call, event_type, asked)}"


async def _kind(call: Call, event_type: EventTypeId) -> models.EventType:
    """Return an event type, empty if it may not be read."""
    try:
        return await call.via(get_event_type)(event_type) if call.allows(get_event_type) else models.EventType()
    except (CalendlyError, ToolError):
        return models.EventType()


async def _hours_of_host(call: Call, kind: models.EventType, asked: TimeRange) -> str:
    """Say that the host does not work in the range, as a sentence; empty otherwise, or if that is not known."""
    if not call.allows(list_user_availability_schedules):
        return ""
    try:
        host = UserId.parse((kind.get("profile") or {}).get("owner") or "")
        hours = HoursOfHost.of((await call.via(list_user_availability_schedules)(host)).get("collection", []))
    except (CalendlyError, ToolError, InvalidIdentifier):
        return ""
    if hours is None or hours.within(Span(asked.start, asked.end)):
        return ""
    return f"Its host has no working hours then (by the default schedule, in {hours.zone}). "


async def _nearest(call: Call, event_type: EventTypeId, asked: TimeRange) -> str:
    """Say where the nearest open times are."""
    soonest = soon(call.caller)
    earlier = TimeRange(max(soonest, asked.start - _AROUND), asked.start)
    later = TimeRange(asked.end, asked.end + _AROUND)
    if later_rows := _starts(await _open_times(call, event_type, later)):
        return f"None is open in that range. The next open time after it is {wire(min(later_rows))}."
    before = _starts(await _open_times(call, event_type, earlier)) if earlier.start < earlier.end else []
    if not before and earlier.start > soonest:
        before = _starts(await _open_times(call, event_type, TimeRange(soonest, soonest + _AROUND)))
    if before:
        return (
            f"None is open in that range or in the {_AROUND.days} days after it. The last open time before it is "
            f"{wire(max(before))}: the event type may not be bookable further ahead."
        )
    return "None is open from now on: the event type may be switched off, or its hosts have no working hours."


async def _open_times(call: Call, event_type: EventTypeId, asked: TimeRange) -> list[OpenTimes]:
    async def fetch(first: datetime, last: datetime) -> list[OpenTimes]:
        query = {"event_type": event_type.uri, "start_time": wire(first), "end_time": wire(last)}
        return await call.rows(OpenTimes, query=query)

    def slot(row: OpenTimes) -> Hashable:
        return row.get("start_time") or str(row)

    def start_of(row: OpenTimes) -> datetime | None:
        return sent_time(row.get("start_time"))

    cap = call.caller.available_times_cap
    return await fetch_range(fetch, asked.start, asked.end, cap=cap, key=slot, start_of=start_of)


def _looked(at: str, asked: TimeRange) -> Searched:
    return searched(at, start=asked.start, end=asked.end, note=FROM_NOW if asked.began else None)


def _starts(rows: Iterable[OpenTimes]) -> list[datetime]:
    return [start for row in rows if (start := sent_time(row.get("start_time")))]


@availability.tool(
    "GET",
    "/user_busy_times",
    title="List busy times",
    scope="availability:read",
    capability="availability",
    audit=Sentence("list", lambda call: f"the busy times of {call.person()}{call.span('start_time', 'end_time')}"),
)
async def list_user_busy_times(
    call: Call,
    start_time: RangeTime,
    end_time: RangeTime,
    user: UserRef | None = None,
    timezone: TimeZone | None = None,
) -> Rows[Busy]:
    """List when a person is busy (Calendly meetings, connected calendars), in a future range of up to 366 days.

    Default: you.
    """
    asked = await coming_span(call.caller, start_time, end_time, timezone)
    person = await call.uri(user or UserId.ME)

    async def fetch(first: datetime, last: datetime) -> list[Busy]:
        query = {"user": person, "start_time": wire(first), "end_time": wire(last)}
        return await call.rows(Busy, query=query)

    rows = await fetch_range(fetch, asked.start, asked.end, cap=Cap(BUSY_TIMES_DAYS), key=str)
    return rows_of(rows, _looked(whose(user or UserId.ME), asked), "Nothing makes this person busy in that range.")


@availability.tool(
    "GET",
    "/user_availability_schedules",
    title="List availability schedules",
    scope="availability:read",
    capability="availability",
    audit=Sentence("list", lambda call: f"the availability schedules of {call.person()}"),
)
async def list_user_availability_schedules(
    call: Call, user: UserRef | None = None
) -> Rows[models.AvailabilitySchedule]:
    """List a person's working hours (availability schedules), each in its own timezone. Default: yours."""
    rows = await call.rows(models.AvailabilitySchedule, query={"user": await call.uri(user or UserId.ME)})
    return rows_of(rows, searched(whose(user or UserId.ME)), "This person has no availability schedule.")


@availability.tool(
    "GET",
    "/user_availability_schedules/{schedule}",
    title="Get availability schedule",
    scope="availability:read",
    capability="availability",
    audit=Sentence("read", "the availability schedule {schedule}"),
)
async def get_user_availability_schedule(call: Call, schedule: ScheduleRef) -> models.AvailabilitySchedule:
    """Look up one availability schedule: working hours by weekday and date, in its time zone."""
    return await call(models.AvailabilitySchedule, schedule=schedule)
