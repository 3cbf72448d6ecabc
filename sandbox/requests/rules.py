"""The rules of an availability schedule, as Calendly checks them."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from itertools import pairwise
from typing import Final

from sandbox.records.as_json import WEEKDAYS
from sandbox.records.slots import DayHours
from sandbox.requests.fields import InputFields, objects_in

_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")

Weekdays = Mapping[int, DayHours]
Dates = Mapping[date, DayHours]


def read_rules(fields: InputFields, first: date, *, required: bool = False) -> tuple[Weekdays, Dates] | None:
    """Read the field `rules`: one rule for each weekday, and dates from `first` on. None where it is missing or bad."""
    value = fields.raw("rules", required=required)
    if value is None:
        return None
    rules = objects_in(value)
    if rules is None:
        fields.refuse("rules", "must be a list of rules")
        return None
    weekdays: dict[int, DayHours] = {}
    dates: dict[date, DayHours] = {}
    for rule in rules:
        hours, day = _hours(rule.get("intervals")), _day(rule)
        target: dict[int, DayHours] | dict[date, DayHours] = dates if isinstance(day, date) else weekdays
        if hours is None or day is None or day in target or (isinstance(day, date) and day < first):
            fields.refuse("rules", "contains an invalid rule")
            return None
        if isinstance(day, date):
            dates[day] = hours
        else:
            weekdays[day] = hours
    if len(weekdays) != len(WEEKDAYS):
        fields.refuse("rules", "must have one rule for each weekday")
        return None
    return weekdays, dates


def _day(rule: Mapping[str, object]) -> int | date | None:
    if rule.get("type") == "wday":
        name = rule.get("wday")
        return WEEKDAYS.index(name) if isinstance(name, str) and name in WEEKDAYS else None
    try:
        written = str(rule.get("date")) if rule.get("type") == "date" else ""
        return datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _hours(value: object) -> DayHours | None:
    """Return the intervals of a rule in order; None if one is malformed or overlaps another."""
    intervals = objects_in(value)
    if intervals is None:
        return None
    spans: list[tuple[str, str]] = []
    for interval in intervals:
        opens, closes = interval.get("from"), interval.get("to")
        if not isinstance(opens, str) or not isinstance(closes, str):
            return None
        if not (_CLOCK.fullmatch(opens) and _CLOCK.fullmatch(closes) and opens < closes):
            return None
        spans.append((opens, closes))
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        return None
    return tuple(
        (time.fromisoformat(opens), time.fromisoformat(closes.replace("24:", "00:"))) for opens, closes in spans
    )
