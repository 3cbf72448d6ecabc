"""Availability schedules beyond reading one's own: writing them, and the hours of single event types."""

from typing import Annotated, Literal, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from calendly import models
from tools.bodies import CLOSED, given
from tools.fields import EventTypeRef, Line, ScheduleRef, TimeZone, UserRef
from tools.rules import RuleSet, check_weekdays, sent_rules
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import searched

schedules = Toolset("schedules")


@with_config(CLOSED)
class AvailabilityRuleFields(TypedDict):
    """The hours of one event type."""

    timezone: TimeZone
    rules: NotRequired[RuleSet | None]
    user: NotRequired[Annotated[UserRef, Field(description="whose, if not yours")] | None]


@schedules.tool(
    "GET",
    "/event_type_availability_schedules",
    title="List hours of an event type",
    scope="availability:read",
    capability="availability",
    audit=Sentence("list", "the hours of the event type {event_type}"),
)
async def list_event_type_availability_schedules(
    call: Call, event_type: EventTypeRef
) -> Page[models.EventTypeAvailabilitySchedule]:
    """List the hours at which an event type can be booked, and the schedule that they come from, if any."""
    page = await call.only_page(models.EventTypeAvailabilitySchedule, query={"event_type": event_type.uri})
    return page_of(page, searched(f"the event type {event_type.told}"), "Calendly tells no hours of it.")


@schedules.tool(
    "PATCH",
    "/event_type_availability_schedules",
    title="Update hours of an event type",
    scope="availability:write",
    capability="availability",
    audit=Sentence("update", "the hours of the event type {event_type}"),
)
async def update_event_type_availability_schedules(
    call: Call,
    event_type: EventTypeRef,
    availability_rule: AvailabilityRuleFields,
    availability_setting: Annotated[Literal["host"], Field(description="whose hours")] = "host",
) -> models.EventTypeAvailabilitySchedule:
    """Update the hours of one event type alone, not the schedule that it comes from. rules replaces all of them.

    For single days change_working_hours is easier.
    """
    rule = {**availability_rule, "user": await call.uri(availability_rule.get("user"))}
    rules = availability_rule.get("rules")
    body = {
        "availability_rule": given({**rule, "rules": None if rules is None else sent_rules(rules)}),
        "availability_setting": availability_setting,
    }
    return await call(models.EventTypeAvailabilitySchedule, query={"event_type": event_type.uri}, body=body)


@schedules.tool(
    "POST",
    "/user_availability_schedules",
    title="Create availability schedule",
    scope="availability:write",
    capability="availability",
    audit=Sentence("create", "the availability schedule {name}"),
)
async def create_user_availability_schedule(
    call: Call, name: Line, timezone: TimeZone, rules: RuleSet
) -> models.AvailabilitySchedule:
    """Create an availability schedule of yours. No event type uses it until a person assigns it at calendly.com."""
    check_weekdays(rules)
    return await call(
        models.AvailabilitySchedule, body={"name": name, "timezone": timezone, "rules": sent_rules(rules)}
    )


def _audited_update(call: AuditedArguments) -> str:
    fields = [name for name in ("name", "timezone", "rules", "default") if call.values.get(name) is not None]
    return f"{', '.join(fields)} of {call.filled('the availability schedule {schedule}')}"


@schedules.tool(
    "PATCH",
    "/user_availability_schedules/{schedule}",
    title="Update availability schedule",
    scope="availability:write",
    capability="availability",
    audit=Sentence("update", _audited_update),
)
async def update_user_availability_schedule(
    call: Call,
    schedule: ScheduleRef,
    name: Line | None = None,
    timezone: TimeZone | None = None,
    rules: RuleSet | None = None,
    default: Annotated[bool, Field(description="only true: makes it the default")] | None = None,
) -> models.AvailabilitySchedule:
    """Update an availability schedule, and with it every event type that uses it. rules replaces all of them.

    For single days change_working_hours is easier.
    """
    if rules is not None:
        check_weekdays(rules)
    sent = None if rules is None else sent_rules(rules)
    body = given({"name": name, "timezone": timezone, "rules": sent, "default": default})
    if not body:
        raise ArgumentError.of("rules", "Nothing to change: pass name, timezone, rules or default.")
    return await call(models.AvailabilitySchedule, body=body, schedule=schedule)
