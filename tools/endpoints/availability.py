"""Availability: when meetings can be booked, and when they cannot."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId
from calendly.ranges import BUSY_TIMES_DAYS, Cap, fetch_range
from tools.answers.views import Busy, OpenTimes
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.schedules import list_event_type_availability_schedules
from tools.fields import EventTypeRef, RangeTime, ScheduleRef, TimeZone, UserRef
from tools.times import TimeRange, coming_span, sent_length, sent_time, soon, wire
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ToolError
from tools.toolset.lists import Rows, rows_of
from tools.toolset.searched import FROM_NOW, Searched, searched, whose
from tools.working_hours import HoursOfHost, Span, common_spans
from tools.zones import zone_of

_AROUND: Final = timedelta(days=31)
"""How far before and after a range without open times the nearest ones are looked for."""

_TICK: Final = timedelta(seconds=1)
_SWITCHED_OFF: Final = "It is switched off, so nobody can book it."
_NOT_BUSY: Final = (
    "Nothing makes this person busy in that range, as far as Calendly looks: at meetings, and at the calendars that it "
    "checks for conflicts."
)

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
        return _SWITCHED_OFF
    outside = await _outside(call, event_type, kind, Span(asked.start, asked.end))
    around = await _around(call, event_type, asked, both=False)
    return f"{outside}{_told(around, 'in that range')}"


async def why_not_open_at(call: Call, event_type: EventTypeId, start: datetime) -> str:
    """Say why a meeting of an event type cannot begin at a time, as far as that shows. `call` is that of its tool."""
    kind = await _kind(call, event_type)
    if kind.get("active") is False:
        return _SWITCHED_OFF
    length, increment = sent_length(kind.get("duration")), sent_length(kind.get("start_time_increment"))
    outside = await _outside(call, event_type, kind, Span(start, start + length), length)
    around = await _around(call, event_type, TimeRange(start, start + _TICK), both=True)
    if around.later is None:
        return f"{outside}{_told(around, 'then')}"
    if outside:
        return outside.strip()
    if increment and (around.later - start) % increment:
        return f"Meetings of this event type begin {increment.total_seconds() / 60:g} minutes apart, and not then."
    if around.earlier is None and start > soon(call.caller):
        return (
            f"None is open from now until {wire(around.later)}: the event type may ask for more notice, or all until "
            "then is taken."
        )
    return "It is taken, or kept free around another meeting."


@dataclass(frozen=True, slots=True)
class _Around:
    """The open times nearest to a range, as far as was looked."""

    earlier: datetime | None
    later: datetime | None


async def _kind(call: Call, event_type: EventTypeId) -> models.EventType:
    """Return an event type, empty if it may not be read."""
    try:
        return await call.via(get_event_type)(event_type) if call.allows(get_event_type) else models.EventType()
    except (CalendlyError, ToolError):
        return models.EventType()


async def _outside(
    call: Call, event_type: EventTypeId, kind: models.EventType, when: Span, length: timedelta | None = None
) -> str:
    """Say that nobody works then or not for so long, as a sentence and a blank; empty otherwise, or if not known.

    The hosts of a collective event type meet together: all have to work.

    Args:
        call: The call.
        event_type: Of the hours.
        kind: The same as far as it could be read.
        when: Any working hours in it will do.
        length: A meeting of that length has to fit into them, None where any will do.
    """
    hours, whose = await _hours_of_type(call, event_type), "the hours of the event type"
    if not hours:
        hours, whose = await _hours_of_host(call, kind), "the default schedule"
    together = kind.get("pooling_type") == "collective" and len(hours) > 1
    of_hosts = [one.within(when) for one in hours]
    spans = common_spans(of_hosts) if together else list(chain.from_iterable(of_hosts))
    works = spans if length is None else [span for span in spans if span.holds(when.start, length)]
    if works or not hours:
        return ""
    zones = " and ".join(dict.fromkeys(str(one.zone) for one in hours))
    by = f"(by {whose}, in {zones})"
    if length is not None and spans:
        hours_of = "common working hours of its hosts" if together else "working hours of its host"
        return f"A meeting of {length.total_seconds() / 60:g} minutes from then does not fit into the {hours_of} {by}. "
    none = "Its hosts have no working hours in common" if together else "Its host has no working hours"
    return f"{none} then {by}. "


async def _hours_of_type(call: Call, event_type: EventTypeId) -> list[HoursOfHost]:
    """Return the hours of each host at which an event type can be booked; none if they cannot be read."""
    if not call.allows(list_event_type_availability_schedules):
        return []
    try:
        rows = (await call.via(list_event_type_availability_schedules)(event_type)).get("collection", [])
    except (CalendlyError, ToolError):
        return []
    rules = [row.get("availability_rule") or {} for row in rows]
    zones = [zone_of(rule.get("timezone")) for rule in rules]
    return [HoursOfHost(zone, rule) for zone, rule in zip(zones, rules, strict=True) if zone] if all(zones) else []


async def _hours_of_host(call: Call, kind: models.EventType) -> list[HoursOfHost]:
    """Return the hours of an event type's only host by their default schedule; none if they cannot be read."""
    if not call.allows(list_user_availability_schedules):
        return []
    try:
        host = UserId.parse((kind.get("profile") or {}).get("owner") or "")
        hours = HoursOfHost.of((await call.via(list_user_availability_schedules)(host)).get("collection", []))
    except (CalendlyError, ToolError, InvalidIdentifier):
        return []
    return [hours] if hours else []


async def _around(call: Call, event_type: EventTypeId, asked: TimeRange, *, both: bool) -> _Around:
    """Return the open times nearest to a range without any: that before it only if `both`, or if none follows."""
    soonest = soon(call.caller)
    earlier = TimeRange(max(soonest, asked.start - _AROUND), asked.start)
    later_rows = await _starts(call, event_type, TimeRange(asked.end, asked.end + _AROUND))
    if later_rows and not both:
        return _Around(None, min(later_rows))
    before = await _starts(call, event_type, earlier) if earlier.start < earlier.end else []
    if not before and not later_rows and earlier.start > soonest:
        before = await _starts(call, event_type, TimeRange(soonest, soonest + _AROUND))
    return _Around(max(before, default=None), min(later_rows, default=None))


def _told(around: _Around, when: str) -> str:
    """Say where the nearest open times are."""
    if around.later:
        return f"None is open {when}. The next open time after it is {wire(around.later)}."
    if around.earlier:
        return (
            f"None is open {when} or in the {_AROUND.days} days after it. The last open time before it is "
            f"{wire(around.earlier)}: the event type may not be bookable further ahead."
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


async def _starts(call: Call, event_type: EventTypeId, within: TimeRange) -> list[datetime]:
    rows = await _open_times(call, event_type, within)
    starts = [start for row in rows if (start := sent_time(row.get("start_time")))]
    return [start for start in starts if within.start <= start < within.end]


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
    return rows_of(rows, _looked(whose(user or UserId.ME), asked), _NOT_BUSY)


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
