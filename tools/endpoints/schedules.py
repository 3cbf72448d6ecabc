"""Availability schedules beyond reading one's own: writing them, and the hours of single event types."""

from typing import Annotated, Any, Final, Literal, NotRequired, cast

from pydantic import AfterValidator, BeforeValidator, Field, with_config
from typing_extensions import TypedDict

from calendly import models
from calendly.models.availability import Interval
from tools.day_hours import intervals_of, parse_interval
from tools.fields import (
    CLOSED,
    AsText,
    Date,
    EventTypeRef,
    Line,
    ScheduleRef,
    TimeZone,
    UserRefById,
    Variants,
    at_most,
    given,
)
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import searched
from tools.working_hours import Weekday

schedules = Toolset("schedules")

_MOST_RULES: Final = 1_000


def _interval(text: str) -> Interval:
    return intervals_of((parse_interval(text),))[0]


def _as_line(value: object) -> object:
    """Return an interval as Calendly answers it as the line that is taken: `from` is no name in every client."""
    plain = value
    fields = cast("dict[str, object]", value if isinstance(value, dict) else {})
    return f"{fields['from']}-{fields['to']}" if fields.keys() == {"from", "to"} else plain


IntervalLine = Annotated[
    Interval, AsText(_interval), BeforeValidator(_as_line), Field(description="such as 09:00-12:00")
]


@with_config(CLOSED)
class RuleFields(TypedDict):
    """The hours of a weekday or a date."""

    type: Literal["wday", "date"]
    intervals: Annotated[list[IntervalLine], at_most(48), Field(description="empty: closed")]
    wday: NotRequired[Weekday | None]
    date: NotRequired[Date | None]


RuleSet = Annotated[
    list[
        Annotated[
            RuleFields,
            AfterValidator(
                Variants("type", {"wday": (("wday", "intervals"), ()), "date": (("date", "intervals"), ())})
            ),
        ]
    ],
    at_most(_MOST_RULES),
    Field(description="the whole set: all seven weekdays, and dates from today on"),
]


@with_config(CLOSED)
class AvailabilityRuleFields(TypedDict):
    """The hours of one event type."""

    timezone: TimeZone
    rules: NotRequired[RuleSet | None]
    user: NotRequired[Annotated[UserRefById, Field(description="whose, if not yours")] | None]


def _sent(rules: list[RuleFields]) -> list[dict[str, Any]]:
    return [given(rule) for rule in rules]


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
        "availability_rule": given({**rule, "rules": None if rules is None else _sent(rules)}),
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
    return await call(models.AvailabilitySchedule, body={"name": name, "timezone": timezone, "rules": _sent(rules)})


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
    sent = None if rules is None else _sent(rules)
    body = given({"name": name, "timezone": timezone, "rules": sent, "default": default})
    if not body:
        raise ArgumentError.of("rules", "Nothing to change: pass name, timezone, rules or default.")
    return await call(models.AvailabilitySchedule, body=body, schedule=schedule)
