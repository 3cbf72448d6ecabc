"""Availability: when meetings can be booked, and when they cannot."""

from collections.abc import Hashable
from datetime import datetime

from calendly import models
from calendly.identifiers import UserId
from calendly.ranges import BUSY_TIMES_DAYS, Cap, fetch_range
from tools.fields import EventType, Schedule, Time, User
from tools.times import span, wire
from tools.toolset import Call, Rows, Toolset

availability = Toolset()


@availability.tool(
    "GET",
    "/event_type_available_times",
    title="List available times",
    scope="availability:read",
    capability="availability",
    scheduling=True,
)
async def list_event_type_available_times(
    call: Call, event_type: EventType, start_time: Time, end_time: Time
) -> Rows[models.AvailableTime]:
    """Find open times (free slots) when an event type can be booked, in a future range of up to 366 days.

    Pass a slot's start_time to create_event_invitee, or hand its scheduling_url to a person.
    """
    start, end = await span(call.caller, start_time, end_time)

    async def fetch(first: datetime, last: datetime) -> list[models.AvailableTime]:
        query = {"event_type": event_type.uri, "start_time": wire(first), "end_time": wire(last)}
        return await call.rows(models.AvailableTime, query=query)

    def slot(row: models.AvailableTime) -> Hashable:
        return row.get("start_time") or str(row)

    return {"collection": await fetch_range(fetch, start, end, cap=call.caller.available_times_cap, key=slot)}


@availability.tool(
    "GET",
    "/user_busy_times",
    title="List busy times",
    scope="availability:read",
    capability="availability",
)
async def list_user_busy_times(
    call: Call, start_time: Time, end_time: Time, user: User | None = None
) -> Rows[models.BusyTime]:
    """List when a person is busy (Calendly meetings, connected calendars), in a future range of up to 366 days.

    Default: you.
    """
    start, end = await span(call.caller, start_time, end_time)
    person = await call.uri(user or UserId.ME)

    async def fetch(first: datetime, last: datetime) -> list[models.BusyTime]:
        query = {"user": person, "start_time": wire(first), "end_time": wire(last)}
        return await call.rows(models.BusyTime, query=query)

    return {"collection": await fetch_range(fetch, start, end, cap=Cap(BUSY_TIMES_DAYS), key=str)}


@availability.tool(
    "GET",
    "/user_availability_schedules",
    title="List availability schedules",
    scope="availability:read",
    capability="availability",
)
async def list_user_availability_schedules(call: Call, user: User | None = None) -> Rows[models.AvailabilitySchedule]:
    """List a person's working hours (availability schedules). Default: yours."""
    query = {"user": await call.uri(user or UserId.ME)}
    return {"collection": await call.rows(models.AvailabilitySchedule, query=query)}


@availability.tool(
    "GET",
    "/user_availability_schedules/{schedule}",
    title="Get availability schedule",
    scope="availability:read",
    capability="availability",
)
async def get_user_availability_schedule(call: Call, schedule: Schedule) -> models.AvailabilitySchedule:
    """Look up one availability schedule: working hours by weekday and date, in its time zone."""
    return await call(models.AvailabilitySchedule, schedule=schedule)
