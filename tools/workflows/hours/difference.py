"""What a change of working hours means, in words and as the time that closes. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from tools.day_hours import DAY, NO_HOURS, DayIntervals, clock_of, told, without
from tools.workflows.hours.asked import Orders
from tools.workflows.hours.rules import ScheduleRules, runs
from tools.working_hours import WEEKDAYS, Span, Weekday

HORIZON: Final = timedelta(days=366)
"""How far ahead meetings are searched in time that closes every week."""

_MOST_ROWS: Final = 12
"""How many rows may name one run of days each. Beyond that, a row stands for all days with the same hours."""

_DAY: Final = timedelta(days=1)
_WHOLE_DAY: Final[DayIntervals] = ((0, DAY),)


class HoursDifference(TypedDict):
    """The hours of some days before and after."""

    days: Annotated[str, Field(description="in the schedule's zone")]
    before: str
    after: str


def difference(before: ScheduleRules, after: ScheduleRules, orders: Orders) -> list[HoursDifference]:
    """Return the hours before and after, by weekday and date; consecutive days that change alike are one."""
    weekdays: list[Weekday] = [weekday for weekday in WEEKDAYS if weekday in orders]

    def alike(day: Weekday) -> tuple[int, DayIntervals, DayIntervals]:
        return WEEKDAYS.index(day) - weekdays.index(day), before.every(day), after.every(day)

    every = [_row(_weekdays(list(days)), was, becomes) for (_, was, becomes), days in groupby(weekdays, alike)]
    return [*every, *_of_dates(before, after, orders)]


def _of_dates(before: ScheduleRules, after: ScheduleRules, orders: Orders) -> list[HoursDifference]:
    """Return a row for each run of days that change alike, and one for all days that stay as they are."""
    alike: dict[tuple[DayIntervals, DayIntervals, bool], list[date]] = {}
    for day in dates_in(orders):
        alike.setdefault((before.on(day), after.on(day), day not in after.dates), []).append(day)
    rows: list[tuple[date, str, tuple[DayIntervals, DayIntervals, bool]]] = []
    for kind, days in alike.items():
        spans = [(first, _span(first, last)) for first, last in runs(days)]
        if kind[0] == kind[1]:
            spans = [(days[0], ", ".join(told_span for _, told_span in spans))]
        rows += [(first, told_span, kind) for first, told_span in spans]
    if len(rows) > _MOST_ROWS:
        rows = [(days[0], f"{len(days)} days, {_span(days[0], days[-1])}", kind) for kind, days in alike.items()]
    return [_row(told_span, *kind) for _, told_span, kind in sorted(rows)]


def _row(days: str, before: DayIntervals, after: DayIntervals, is_weekly: bool = False) -> HoursDifference:
    as_every_week = ", as every week" if is_weekly else ""
    return {"days": days, "before": told(before), "after": f"{told(after)}{as_every_week}"}


def _weekdays(days: Sequence[Weekday]) -> str:
    first, last = days[0].capitalize(), days[-1].capitalize()
    return f"Every {first}" if first == last else f"Every {first} to {last}"


def _span(first: date, last: date) -> str:
    return told_date(first) if first == last else f"{told_date(first)} to {told_date(last)}"


def told_date(day: date) -> str:
    """Return a date such as `Fri 4 Dec 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"


def dates_in(orders: Orders) -> list[date]:
    """Return the dates that are asked for, in order."""
    return sorted(key for key in orders if isinstance(key, date))


def keeping(before: ScheduleRules, orders: Orders, today: date) -> list[date]:
    """Return the dates to come that keep hours of their own though their weekday changes."""
    return [
        day for day in sorted(before.dates) if day >= today and day not in orders and WEEKDAYS[day.weekday()] in orders
    ]


def closing(before: ScheduleRules, after: ScheduleRules, orders: Orders, zone: ZoneInfo, now: datetime) -> list[Span]:
    """Return the time that a change closes, from now on and for a year; a day without hours closes wholly."""
    spans: list[Span] = []
    for day in _days_concerned(before, orders, now.astimezone(zone).date()):
        was, becomes = before.on(day), after.on(day)
        is_day_off = becomes == NO_HOURS and (was != NO_HOURS or day in orders)
        spans += _instants(day, _WHOLE_DAY if is_day_off else without(was, becomes), zone)
    return [Span(max(span.start, now), span.end) for span in spans if span.end > now]


def _days_concerned(before: ScheduleRules, orders: Orders, today: date) -> Iterator[date]:
    yield from dates_in(orders)
    if any(not isinstance(key, date) for key in orders):
        for number in range(HORIZON.days):
            day = today + number * _DAY
            if WEEKDAYS[day.weekday()] in orders and day not in orders and day not in before.dates:
                yield day


def _instants(day: date, hours: Iterable[tuple[int, int]], zone: ZoneInfo) -> Iterator[Span]:
    for start, end in hours:
        span = Span(_instant(day, start, zone), _instant(day, end, zone))
        if span.start < span.end:
            yield span


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    on, at = (day + _DAY, time.min) if minutes == DAY else (day, time.fromisoformat(clock_of(minutes)))
    return datetime.combine(on, at, zone).astimezone(UTC)
