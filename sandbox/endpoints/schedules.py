"""Writing availability schedules, and the hours of single event types."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.booking.openings import schedule_of
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, event_type_hours_json, schedule_json
from sandbox.records.event_types import StoredEventType
from sandbox.records.identifiers import new_id
from sandbox.records.people import StoredSchedule
from sandbox.records.slots import WorkingHours
from sandbox.requests.fields import InputFields
from sandbox.requests.permissions import NO_ACCESS, NO_PERMISSION, known_user, managed_event_type
from sandbox.requests.rules import read_rules


def _today(call: EndpointCall, zone: str) -> date:
    return call.sandbox.clock.now().astimezone(ZoneInfo(zone or "UTC")).date()


def create_user_availability_schedule(call: EndpointCall) -> JsonObject:
    """Create a schedule of the caller, which no event type uses."""
    fields = call.body_fields()
    name, zone = fields.text("name", required=True), fields.timezone("timezone", required=True)
    found = read_rules(fields, _today(call, zone), required=True)
    fields.check()
    weekdays, dates = found or ({}, {})
    plan = StoredSchedule(new_id(), call.caller.user.id, name, default=False, hours=WorkingHours(zone, weekdays, dates))
    call.records.schedules[plan.id] = plan
    return {"resource": schedule_json(plan)}


def update_user_availability_schedule(call: EndpointCall) -> JsonObject:
    """Change a schedule of the caller, and with it every event type that uses it."""
    plan = call.records.schedules.get(call.path["uuid"])
    if plan is None:
        raise not_found()
    if plan.user != call.caller.user.id:
        raise permission_denied(NO_ACCESS)
    fields = call.body_fields()
    name, zone = fields.text("name"), fields.timezone("timezone") or plan.hours.zone
    found = read_rules(fields, _today(call, zone) - timedelta(days=1))
    if fields.has("default") and not fields.boolean("default"):
        fields.refuse("default", "must be true")
    fields.check()
    weekdays, dates = found or (plan.hours.weekdays, plan.hours.dates)
    plan.hours = WorkingHours(zone, weekdays, dates)
    plan.name = name or plan.name
    if fields.has("default"):
        for other in call.records.schedules.values():
            other.default = other is plan or (other.default and other.user != plan.user)
    return {"resource": schedule_json(plan)}


def _event_type(call: EndpointCall) -> StoredEventType:
    fields = call.query_fields()
    identifier = fields.reference("event_type", "event_types", required=True)
    fields.check()
    return managed_event_type(call.caller, call.records, identifier)


def list_event_type_availability_schedules(call: EndpointCall) -> JsonObject:
    """List the hours of each host of an event type."""
    kind = _event_type(call)
    rows = [event_type_hours_json(kind, host, schedule_of(call.records, kind, host)) for host in kind.hosts]
    return {
        "collection": rows,
        "pagination": {
            "count": len(rows),
            "next_page": None,
            "previous_page": None,
            "next_page_token": None,
            "previous_page_token": None,
        },
    }


def update_event_type_availability_schedules(call: EndpointCall) -> JsonObject:
    """Give one event type hours of its own, for one host."""
    kind, fields = _event_type(call), call.body_fields()
    fields.choice("availability_setting", ("host",))
    rule = fields.within("availability_rule", required=True) or InputFields({})
    zone, user = rule.timezone("timezone", required=True), rule.reference("user", "users")
    found = read_rules(rule, _today(call, zone) - timedelta(days=1))
    fields.check()
    host = known_user(call.records, user).id if user else call.caller.user.id
    if host not in kind.hosts:
        raise permission_denied(NO_PERMISSION)
    plan = schedule_of(call.records, kind, host)
    present = kind.own_hours.get(host) or plan.hours
    hours = WorkingHours(zone, *found) if found else replace(present, zone=zone)
    kind.own_hours = {**kind.own_hours, host: hours}
    return {"resource": event_type_hours_json(kind, host, plan)}


ENDPOINTS: Final = (
    SandboxEndpoint(
        "GET",
        "/event_type_availability_schedules",
        ("availability:read",),
        200,
        list_event_type_availability_schedules,
    ),
    SandboxEndpoint(
        "PATCH",
        "/event_type_availability_schedules",
        ("availability:write",),
        200,
        update_event_type_availability_schedules,
    ),
    SandboxEndpoint(
        "POST", "/user_availability_schedules", ("availability:write",), 201, create_user_availability_schedule
    ),
    SandboxEndpoint(
        "PATCH", "/user_availability_schedules/{uuid}", ("availability:write",), 200, update_user_availability_schedule
    ),
)
