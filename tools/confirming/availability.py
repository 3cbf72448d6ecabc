"""The questions for working hours and meeting limits. No condition limits these calls."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from calendly.identifiers import EventTypeId, ScheduleId, UserId
from tools.confirming.questions import WriteEffects, about, event_type_fact, if_allowed, person_fact
from tools.day_hours import hours_of, told
from tools.endpoints.availability import get_user_availability_schedule
from tools.endpoints.meeting_limits import update_user_meeting_limits
from tools.endpoints.schedules import (
    create_user_availability_schedule,
    update_event_type_availability_schedules,
    update_user_availability_schedule,
)
from tools.toolset.declaring import Call
from tools.toolset.question import Fact, Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of
from tools.workflows.hours.asked import HoursOnDays
from tools.workflows.hours.change import change_working_hours
from tools.workflows.hours.difference import keeping, told_date
from tools.workflows.hours.reading import HoursPlan, plan_of
from tools.workflows.hours.surroundings import HoursSurroundings, MeetingInTheWay, surroundings_of

_MOST_MEETINGS: Final = 10
_MOST_DAYS: Final = 14
_DETACHES: Final = (
    "The event type then has hours of its own, and changes of its schedule reach it no more. An undo gives the hours "
    "back, not that link: a person makes it at calendly.com, in the Availability section of the event type."
)


async def _change_hours(
    call: Call,
    changes: Sequence[HoursOnDays],
    schedule: ScheduleId | None = None,
    event_type: EventTypeId | None = None,
) -> Question:
    plan = await plan_of(call, changes, schedule, event_type)
    around = await surroundings_of(call, plan)
    facts = (
        await _subject_fact(call, plan),
        *([await person_fact(call, "Whose", plan.subject.owner)] if await _is_of_another(call, plan) else []),
        *([stored("Follows the schedule", plan.subject.follows)] if plan.subject.follows else []),
        stated("Time zone", plan.subject.timezone),
        *(stated(row["days"], f"{row['before']} before, {row['after']} after") for row in plan.difference),
        *_kept(plan),
        *_of_event_types(plan, around),
        *_of_meetings(around),
        *([stated("Could not be read", ", ".join(around.unread))] if around.unread else []),
    )
    return Question("Change working hours", facts, (_DETACHES,) if plan.subject.follows else ())


async def _is_of_another(call: Call, plan: HoursPlan) -> bool:
    me = await if_allowed(call.caller.identity())
    return me is not None and plan.subject.owner not in {None, me.user}


async def _subject_fact(call: Call, plan: HoursPlan) -> Fact:
    identifier = plan.subject.identifier
    if isinstance(identifier, EventTypeId):
        return await event_type_fact(call, identifier)
    return stored("Schedule", plan.subject.name)


def _kept(plan: HoursPlan) -> list[Fact]:
    days = keeping(plan.subject.rules, plan.orders, plan.today)
    named = tuple(map(told_date, days[:_MOST_DAYS]))
    return [Fact("Dates that keep hours of their own", named, more=len(days) - len(named))] if days else []


def _of_event_types(plan: HoursPlan, around: HoursSurroundings) -> list[Fact]:
    if isinstance(plan.subject.identifier, EventTypeId):
        return [stated("Schedules and other event types", "stay as they are")]
    own = [kind["name"] for kind in around.apart if "schedule" not in kind]
    others = [kind["name"] for kind in around.apart if "schedule" in kind]
    return [
        *([stored("Event types that follow", *around.following)] if around.following else []),
        *([stored("Event types with hours of their own, which stay", *own)] if own else []),
        *([stored("Event types of other schedules, which stay", *others)] if others else []),
    ]


def _of_meetings(around: HoursSurroundings) -> list[Fact]:
    named = around.meetings[:_MOST_MEETINGS]
    more = len(around.meetings) - len(named)
    return [
        *(stored(f"Booked in the closed time, not canceled: {one['when']}", _with_whom(one)) for one in named),
        *([stated("Booked in the closed time as well", f"{more} more meetings")] if more else []),
    ]


def _with_whom(meeting: MeetingInTheWay) -> str:
    return ": ".join(filter(None, (meeting["name"], ", ".join(meeting.get("invitees", ())))))


async def _create_schedule(_call: Call, name: str, timezone: str, rules: Sequence[Any]) -> Question:
    facts = (typed("Name", name), typed("Time zone", timezone), *_of_rules(rules))
    return Question("Create an availability schedule", facts, ("No event type uses it yet.",))


async def _update_schedule(
    call: Call,
    schedule: ScheduleId,
    name: str | None = None,
    timezone: str | None = None,
    rules: Sequence[Any] | None = None,
    *,
    default: bool | None = None,
) -> Question:
    await about(call, get_user_availability_schedule, schedule)
    found = await if_allowed(call.via(get_user_availability_schedule)(schedule))
    which = stored("Schedule", found.get("name")) if found else stated("Schedule", str(schedule))
    facts = (
        which,
        *([typed("New name", name)] if name else []),
        *([typed("New time zone", timezone)] if timezone else []),
        *([stated("Default", "yes, in place of the present one")] if default else []),
        *_of_rules(rules),
    )
    return Question("Change an availability schedule", facts, ("Every event type that uses it changes with it.",))


async def _update_event_type(
    call: Call, event_type: EventTypeId, availability_rule: Mapping[str, Any], **_: object
) -> Question:
    owner = availability_rule.get("user")
    facts = (
        await event_type_fact(call, event_type),
        *([await person_fact(call, "Whose hours", owner)] if owner else []),
        typed("Time zone", availability_rule["timezone"]),
        *_of_rules(availability_rule.get("rules")),
    )
    return Question("Give an event type hours of its own", facts, ("Other event types stay as they are.", _DETACHES))


def _of_rules(rules: Sequence[Any] | None) -> list[Fact]:
    """Return all hours of a set of rules, which replaces what is there."""
    if rules is None:
        return []
    weekly = [f"{rule['wday'].capitalize()} {told(hours_of(rule))}" for rule in rules if rule["type"] == "wday"]
    dates = [f"{rule['date']} {told(hours_of(rule))}" for rule in rules if rule["type"] == "date"]
    named = tuple(dates[:_MOST_DAYS])
    return [
        Fact("All weekly hours from now on", tuple(weekly) or ("none",)),
        Fact("All dates with other hours", named or ("none",), more=len(dates) - len(named)),
    ]


async def _update_limits(
    call: Call,
    user: UserId | None = None,
    daily_limit: int | None = None,
    weekly_limit: int | None = None,
    monthly_limit: int | None = None,
    no_limit: Sequence[str] | None = None,
) -> Question:
    limits = {"daily_limit": daily_limit, "weekly_limit": weekly_limit, "monthly_limit": monthly_limit}
    periods = {"daily_limit": "Most meetings a day", "weekly_limit": "A week", "monthly_limit": "A month"}
    facts = (
        await person_fact(call, "Whose", user),
        *(stated(periods[name], str(limit)) for name, limit in limits.items() if limit is not None),
        *(stated(periods[name], "no limit") for name in no_limit or ()),
    )
    return Question("Change how many meetings can be booked", facts, ("Meetings that are booked stay.",))


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(change_working_hours): WriteEffects(_change_hours),
        tool_of(create_user_availability_schedule): WriteEffects(_create_schedule),
        tool_of(update_user_availability_schedule): WriteEffects(_update_schedule),
        tool_of(update_event_type_availability_schedules): WriteEffects(_update_event_type),
        tool_of(update_user_meeting_limits): WriteEffects(_update_limits),
    }
)
