"""Reads the hours that a change is about, of a schedule or of one event type, and computes the change."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NoReturn, cast
from zoneinfo import ZoneInfo

from calendly.errors import PermissionDenied
from calendly.identifiers import EventTypeId, InvalidIdentifier, ScheduleId, UserId
from calendly.models.availability import AvailabilityRule, AvailabilitySchedule
from calendly.models.reading import UNRECOGNIZED
from tools.endpoints.availability import get_user_availability_schedule, list_user_availability_schedules
from tools.endpoints.schedules import list_event_type_availability_schedules
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ArgumentFault
from tools.toolset.wording import one_line
from tools.workflows.hours.asked import HoursOnDays, Orders, orders_of
from tools.workflows.hours.difference import HoursDifference, difference
from tools.workflows.hours.rules import AT_CALENDLY, ScheduleRules
from tools.zones import zone_of

Standing = tuple[str, tuple[tuple[str, str], ...]]
"""A zone, and hours in it by weekday and date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The owner of the hours: a schedule, or an event type with its own.

    Attributes:
        identifier: Which it is.
        name: Its name in Calendly.
        timezone: IANA name of the zone of its hours.
        owner: Whose it is, as far as Calendly says.
        rules: Its hours.
        follows: The name of the schedule that the hours of an event type come from; None for hours of its own.
        schedules: The names of its owner's schedules by URI; empty where they were not read.
    """

    identifier: ScheduleId | EventTypeId
    name: str
    timezone: str
    owner: UserId | None
    rules: ScheduleRules
    follows: str | None = None
    schedules: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def zone(self) -> ZoneInfo:
        """The zone of its hours."""
        return ZoneInfo(self.timezone)

    def standing(self, today: date) -> Standing:
        """Return what stands from a day on: the zone, and all hours."""
        return self.timezone, self.rules.hours(today)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursPlan:
    """A change of hours that was computed, and not written.

    Attributes:
        subject: What has the hours, as read.
        orders: What is asked of which days.
        after: The rules that it shall have.
        today: The date in its zone.
    """

    subject: Subject
    orders: Orders
    after: ScheduleRules
    today: date

    @property
    def old(self) -> Standing:
        """What stood when it was read."""
        return self.subject.standing(self.today)

    @property
    def wanted(self) -> Standing:
        """What shall stand."""
        return self.subject.timezone, self.after.hours(self.today)

    @property
    def found(self) -> str:
        """What was read and what would be written, as one text: the same text is the same change."""
        return json.dumps([self.subject.identifier.uri, self.old, self.wanted])

    @property
    def difference(self) -> list[HoursDifference]:
        """The hours before and after."""
        return difference(self.subject.rules, self.after, self.orders)


async def plan_of(
    call: Call, changes: Sequence[HoursOnDays], schedule: ScheduleId | None, event_type: EventTypeId | None
) -> HoursPlan:
    """Read the hours and compute their change. Raises ArgumentError, CalendlyError, ToolError."""
    if schedule and event_type:
        raise ArgumentError.of("event_type", "Pass schedule or event_type, not both.")
    subject = await subject_of(call, event_type or schedule)
    today = call.caller.now().astimezone(subject.zone).date()
    orders = orders_of(changes, today)
    return HoursPlan(subject=subject, orders=orders, after=subject.rules.after(orders), today=today)


async def subject_of(call: Call, identifier: ScheduleId | EventTypeId | None) -> Subject:
    """Read the hours of a schedule, by default the default one, or of an event type. Raises as `plan_of`."""
    if isinstance(identifier, EventTypeId):
        return await _event_type(call, identifier)
    return await _schedule(call, identifier)


def not_yours(refused: PermissionDenied) -> PermissionDenied:
    """Return Calendly's refusal of hours that belong to somebody else, with what to do."""
    return refused.retold("These hours are another person's, who alone can change them: ask that person to.")


async def _schedule(call: Call, schedule: ScheduleId | None) -> Subject:
    rows = (await call.via(list_user_availability_schedules)()).get("collection", [])
    if schedule is None:
        found = next((row for row in rows if row.get("default")), rows[0] if len(rows) == 1 else None)
        if found is None:
            names = ", ".join(one_line(row.get("name") or "") for row in rows)
            raise ArgumentError.of("schedule", f"None is the default, so name one; there are: {names or 'none'}.")
    else:
        found = next((row for row in rows if (row.get("uri") or "").endswith(f"/{schedule.uuid}")), None)
        if found is None:
            return _of_schedule(await _of_another(call, schedule))
    return replace(_of_schedule(found), schedules={row.get("uri") or "": row.get("name") or "" for row in rows})


def _of_schedule(found: AvailabilitySchedule) -> Subject:
    try:
        identifier = ScheduleId.parse(found.get("uri") or "")
    except InvalidIdentifier:
        _unclear("which schedule it is")
    return _subject(found, identifier, found.get("name"))


async def _of_another(call: Call, schedule: ScheduleId) -> AvailabilitySchedule:
    try:
        return await call.via(get_user_availability_schedule)(schedule)
    except PermissionDenied as refused:
        raise not_yours(refused) from None


async def _event_type(call: Call, event_type: EventTypeId) -> Subject:
    """Return the hours of an event type: those of the person, where several host it."""
    rows = (await call.via(list_event_type_availability_schedules)(event_type)).get("collection", [])
    rules = [rule for row in rows if (rule := row.get("availability_rule"))]
    me = (await call.caller.identity()).user.uri
    found = next((rule for rule in rules if rule.get("user") in {None, me}), rules[0] if len(rules) == 1 else None)
    if found is None:
        raise ArgumentError.of("event_type", "Calendly tells no hours of yours for this event type.")
    follows = one_line(found.get("name")) or found.get("uri") if found.get("uri") else None
    return replace(_subject(found, event_type, event_type.called), follows=follows)


def _subject(
    found: AvailabilitySchedule | AvailabilityRule, identifier: ScheduleId | EventTypeId, name: str | None
) -> Subject:
    rules, zone = found.get("rules"), zone_of(found.get("timezone"))
    odd = cast("dict[str, dict[str, object]]", found).get(UNRECOGNIZED) or {}
    if rules is None or any(place.startswith("rules") for place in odd):
        _unclear("all of its hours")
    if zone is None:
        _unclear("the time zone of its hours")
    try:
        owner = UserId.parse(found.get("user") or "")
    except InvalidIdentifier:
        owner = None
    return Subject(
        identifier=identifier,
        name=name or str(identifier),
        timezone=zone.key,
        owner=owner,
        rules=ScheduleRules.of(rules),
    )


def _unclear(what: str) -> NoReturn:
    fault: ArgumentFault = {"message": f"Calendly does not say {what}, so nothing can be changed safely."}
    raise ArgumentError(fault, next_step=AT_CALENDLY)
