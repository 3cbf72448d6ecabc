"""The rules of a schedule, and what a change makes of them. Pure.

Calendly replaces all rules at once, so the whole set is computed: whatever is not asked for goes back as it came.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, cast

from typing_extensions import TypedDict

from calendly.models.availability import Rule
from tools.day_hours import DayIntervals, hours_of, intervals_of, told
from tools.toolset.errors import ArgumentError
from tools.workflows.hours.asked import Orders
from tools.working_hours import WEEKDAYS, Weekday

_SUNDAY_FIRST: Final[tuple[Weekday, ...]] = (WEEKDAYS[-1], *WEEKDAYS[:-1])
_DAY: Final = timedelta(days=1)

AT_CALENDLY: Final = "Tell the user to change these hours at calendly.com, under Availability; do not call again."


class HoursAgain(TypedDict):
    """One change of an undo, as the argument that it is."""

    days: str
    hours: str


@dataclass(frozen=True, slots=True)
class ScheduleRules:
    """The hours of the weekdays, and of the dates that override them, as Calendly sent them."""

    weekly: Mapping[Weekday, Rule]
    dates: Mapping[date, Rule]

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> "ScheduleRules":
        """Return the rules that Calendly sent. Raises ArgumentError for one that could not be sent back."""
        weekly: dict[Weekday, Rule] = {}
        dates: dict[date, Rule] = {}
        for rule in rules:
            weekday, day = rule.get("wday"), _date(rule.get("date"))
            if rule.get("type") == "wday" and weekday in WEEKDAYS:
                weekly[weekday] = rule
            elif rule.get("type") == "date" and day is not None:
                dates[day] = rule
            else:
                raise ArgumentError(
                    {"message": "This schedule has a rule that this server does not know: change it at calendly.com."},
                    next_step=AT_CALENDLY,
                )
        return cls(weekly, dates)

    def every(self, weekday: Weekday) -> DayIntervals:
        """Return the hours of a weekday."""
        return hours_of(self.weekly.get(weekday))

    def on(self, day: date) -> DayIntervals:
        """Return the hours of a date, by its own rule or that of its weekday."""
        return hours_of(self.dates[day]) if day in self.dates else self.every(WEEKDAYS[day.weekday()])

    def after(self, orders: Orders) -> "ScheduleRules":
        """Return the rules with some days changed."""
        weekly, dates = dict(self.weekly), dict(self.dates)
        for key, hours in orders.items():
            if not isinstance(key, date):
                if hours != self.every(key) or key not in weekly:
                    weekly[key] = {"type": "wday", "wday": key, "intervals": intervals_of(hours or ())}
            elif hours is None:
                dates.pop(key, None)
            elif key not in dates or hours_of(dates[key]) != hours:
                dates[key] = {"type": "date", "date": key.isoformat(), "intervals": intervals_of(hours)}
        return ScheduleRules(weekly, dates)

    def sent(self, today: date) -> list[Rule]:
        """Return the whole set as Calendly takes it: a rule for each weekday, and no date before yesterday."""
        weekly = [
            _plain(self.weekly.get(weekday) or {"type": "wday", "wday": weekday, "intervals": []})
            for weekday in _SUNDAY_FIRST
        ]
        return [*weekly, *(_plain(rule) for day, rule in sorted(self.dates.items()) if day >= today - _DAY)]

    def hours(self, today: date) -> tuple[tuple[str, str], ...]:
        """Return all hours that count from a day on, by weekday and date."""
        weekly = ((weekday, told(self.every(weekday))) for weekday in WEEKDAYS)
        dates = ((day.isoformat(), told(self.on(day))) for day in sorted(self.dates) if day >= today)
        return (*weekly, *dates)

    def effective(self, today: date) -> tuple[tuple[str, str], ...]:
        """Return the rules without dates that repeat their weekday's hours: equal results mean equal hours."""
        other = {day: rule for day, rule in self.dates.items() if hours_of(rule) != self.every(WEEKDAYS[day.weekday()])}
        return ScheduleRules(self.weekly, other).hours(today)


def undo_of(before: ScheduleRules, orders: Orders) -> list[HoursAgain]:
    """Return the changes that restore the rules of the days in some orders."""
    days_by_hours: dict[str, list[Weekday | date]] = {}
    for key in orders:
        if not isinstance(key, date):
            hours = _written(before.every(key))
        else:
            hours = _written(before.on(key)) if key in before.dates else "weekly"
        days_by_hours.setdefault(hours, []).append(key)
    return [{"days": ", ".join(_days(keys)), "hours": hours} for hours, keys in days_by_hours.items()]


def runs(days: Iterable[date]) -> list[tuple[date, date]]:
    """Return days as ranges of consecutive ones."""
    found: list[tuple[date, date]] = []
    for day in sorted(days):
        if found and found[-1][1] + _DAY == day:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def _days(keys: Sequence[Weekday | date]) -> list[str]:
    dates = runs(key for key in keys if isinstance(key, date))
    return [
        *(key for key in keys if not isinstance(key, date)),
        *(str(first) if first == last else f"{first}/{last}" for first, last in dates),
    ]


def _written(hours: DayIntervals) -> str:
    return told(hours) if hours else "none"


def _plain(rule: Rule) -> Rule:
    kept = {name: value for name, value in rule.items() if value is not None}
    return cast("Rule", {**kept, "intervals": rule.get("intervals") or []})


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None
