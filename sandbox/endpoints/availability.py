"""Available times, busy times and availability schedules."""

from datetime import datetime, timedelta
from typing import Final

from sandbox.booking.openings import openings
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, schedule_json, slot_stamp, stamp
from sandbox.records.event_types import StoredEventType
from sandbox.records.slots import TimeSpan
from sandbox.requests.fields import InputFields
from sandbox.requests.permissions import FOREIGN_USER, NO_ACCESS, known_user, require_user

BUSY_TIMES_DAYS: Final = 7


def list_event_type_available_times(call: EndpointCall) -> JsonObject:
    """List the open slots of an event type of the caller's organization, without pages."""
    fields = call.query_fields()
    event_type = fields.reference("event_type", "event_types", required=True)
    limits = call.sandbox.limits
    window = _read_window(
        fields, call.sandbox.clock.now(), limits.available_times_days, is_cut=limits.available_times_quietly
    )
    fields.check()
    kind = call.records.event_types.get(event_type)
    if kind is None:
        raise not_found()
    if kind.organization != call.caller.organization.id:
        raise permission_denied(NO_ACCESS)
    found = openings(call.records, kind, window, call.sandbox.clock.now())
    return {
        "collection": [
            {
                "status": "available",
                "invitees_remaining": opening.invitees_remaining,
                "start_time": slot_stamp(opening.start),
                "scheduling_url": _slot_page(kind, opening.start),
            }
            for opening in found
        ]
    }


def _slot_page(kind: StoredEventType, start: datetime) -> str:
    return f"{kind.scheduling_url}/{slot_stamp(start)}?month={start:%Y-%m}&date={start:%Y-%m-%d}"


def _read_window(fields: InputFields, now: datetime, most_days: int, *, is_cut: bool = False) -> TimeSpan:
    """Read start_time and end_time: in the future, in order, and at most `most_days` apart, or cut to that."""
    most = timedelta(days=most_days)
    start, end = fields.required_time("start_time"), fields.required_time("end_time")
    if fields.has("start_time") and fields.has("end_time"):
        if start < now:
            fields.refuse("start_time", "start_time must be in the future")
        if start >= end:
            fields.refuse("start_time", "start_time must be before end_time")
        elif end - start > most and not is_cut:
            fields.refuse("end_time", f"date range can be no greater than {most_days} days")
    return TimeSpan(start, start + most if is_cut and end - start > most else end)


def list_user_busy_times(call: EndpointCall) -> JsonObject:
    """List the busy times of a user in order, without pages."""
    fields = call.query_fields()
    user = fields.reference("user", "users", required=True)
    window = _read_window(fields, call.sandbox.clock.now(), BUSY_TIMES_DAYS)
    fields.check()
    person = known_user(call.records, user)
    require_user(call.caller, person)
    meetings: list[tuple[datetime, JsonObject]] = [
        (
            event.times.start,
            {
                "type": "calendly",
                "start_time": stamp(event.times.start),
                "end_time": stamp(event.times.end),
                "buffered_start_time": stamp(event.buffered_times.start),
                "buffered_end_time": stamp(event.buffered_times.end),
                "event": {"uri": event.uri},
            },
        )
        for event in call.records.events.values()
        if user in event.hosts and event.cancellation is None and event.times.overlaps(window)
    ]
    others: list[tuple[datetime, JsonObject]] = [
        (
            busy.interval.start,
            {"type": busy.type, "start_time": stamp(busy.interval.start), "end_time": stamp(busy.interval.end)},
        )
        for busy in person.busy_times
        if busy.interval.overlaps(window)
    ]
    return {"collection": [shape for _, shape in sorted(meetings + others, key=lambda item: item[0])]}


def list_user_availability_schedules(call: EndpointCall) -> JsonObject:
    """List the availability schedules of a user, without pages."""
    fields = call.query_fields()
    user = fields.reference("user", "users", required=True)
    fields.check()
    require_user(call.caller, known_user(call.records, user), refusal=FOREIGN_USER)
    plans = [plan for plan in call.records.schedules.values() if plan.user == user]
    return {"collection": [schedule_json(plan) for plan in plans]}


def get_user_availability_schedule(call: EndpointCall) -> JsonObject:
    """Return one availability schedule."""
    plan = call.records.schedules.get(call.path["uuid"])
    if plan is None:
        raise not_found()
    require_user(call.caller, call.records.users[plan.user], refusal=FOREIGN_USER)
    return {"resource": schedule_json(plan)}


# Calendly names two scopes for available times, one on the endpoint's page and one in the scope
# catalogue. Either is accepted.
ENDPOINTS: Final = (
    SandboxEndpoint(
        "GET",
        "/event_type_available_times",
        ("availability:read", "event_types:read"),
        200,
        list_event_type_available_times,
    ),
    SandboxEndpoint("GET", "/user_busy_times", ("availability:read",), 200, list_user_busy_times),
    SandboxEndpoint(
        "GET", "/user_availability_schedules", ("availability:read",), 200, list_user_availability_schedules
    ),
    SandboxEndpoint(
        "GET", "/user_availability_schedules/{uuid}", ("availability:read",), 200, get_user_availability_schedule
    ),
)
