"""Availability: when meetings can be booked, and when they cannot."""

from collections.abc import Hashable
from datetime import datetime

from calendly import models
from calendly.identifiers import UserId
from calendly.ranges import BUSY_TIMES_DAYS, Cap, fetch_range
from tools.answers.views import Busy, OpenTimes
from tools.fields import EventTypeRef, ScheduleRef, Time, TimeZone, UserRef
from tools.times import span, wire
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.lists import Rows

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
    scheduling=True,
)
async def list_event_type_available_times(
    call: Call, event_type: EventTypeRef, start_time: Time, end_time: Time, timezone: TimeZone | None = None
) -> Rows[OpenTimes]:
    """Find open times (free slots) when an event type can be booked, in a future range of up to 366 days.

    Book one with create_event_invitee: start_time is date, T and time; timezone that of the row.
    """
    start, end = await span(call.caller, start_time, end_time, timezone)

    async def fetch(first: datetime, last: datetime) -> list[OpenTimes]:
        query = {"event_type": event_type.uri, "start_time": wire(first), "end_time": wire(last)}
        return await call.rows(OpenTimes, query=query)

    def slot(row: OpenTimes) -> Hashable:
        return row.get("start_time") or str(row)

    return {"collection": await fetch_range(fetch, start, end, cap=call.caller.available_times_cap, key=slot)}


@availability.tool(
    "GET",
    "/user_busy_times",
    title="List busy times",
    scope="availability:read",
    capability="availability",
    audit=Sentence("list", lambda call: f"the busy times of {call.person()}{call.span('start_time', 'end_time')}"),
)
async def list_user_busy_times(
    call: Call, start_time: Time, end_time: Time, user: UserRef | None = None, timezone: TimeZone | None = None
) -> Rows[Busy]:
    """List when a person is busy (Calendly meetings, connected calendars), in a future range of up to 366 days.

    Default: you.
    """
    start, end = await span(call.caller, start_time, end_time, timezone)
    person = await call.uri(user or UserId.ME)

    async def fetch(first: datetime, last: datetime) -> list[Busy]:
        query = {"user": person, "start_time": wire(first), "end_time": wire(last)}
        return await call.rows(Busy, query=query)

    return {"collection": await fetch_range(fetch, start, end, cap=Cap(BUSY_TIMES_DAYS), key=str)}


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
    """List a person's working hours (availability schedules). Default: yours."""
    query = {"user": await call.uri(user or UserId.ME)}
    return {"collection": await call.rows(models.AvailabilitySchedule, query=query)}


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
