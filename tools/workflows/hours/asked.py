"""What a change of working hours asks for: days and hours as models write them. Pure.

{"days": "2026-12-20/2027-01-03", "hours": "none"}      no hours on these dates
{"days": "2026-12-04", "hours": "09:00-12:00"}          other hours on this date
{"days": "2026-12-04", "hours": "weekly"}               on this date the hours of its weekday again
{"days": "monday, friday", "hours": "10:00-15:00"}      other hours every week
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Final, cast

from pydantic import BeforeValidator, Field, with_config
from typing_extensions import TypedDict, override

from tools.bodies import CLOSED
from tools.day_hours import NO_HOURS, DayIntervals, parse_hours
from tools.fields import AsText, at_most, checked_text
from tools.matching import folded
from tools.toolset.errors import ArgumentError
from tools.working_hours import WEEKDAYS, Weekday

AskedDay = date | timedelta
"""A date, or its distance from today."""

DayKey = Weekday | date
Orders = Mapping[DayKey, DayIntervals | None]
"""The hours for each weekday and date; None stands for its weekly hours."""

_MOST_CHANGES: Final = 400
_MOST_DAYS: Final = 1_000
_MOST_PARTS: Final = 400

_NONE: Final = frozenset(
    {"none", "no hours", "no", "off", "closed", "blocked", "block", "unavailable", "not available", "day off"}
)
_WEEKLY: Final = frozenset(
    {
        "weekly",
        "weekly hours",
        "back to weekly",
        "back to weekly hours",
        "as weekly",
        "usual",
        "usual hours",
        "as usual",
    }
    | {"back to usual", "back to normal", "normal", "regular", "default", "reset"}
)
_SEVERAL: Final[Mapping[str, Sequence[Weekday]]] = {
    **dict.fromkeys(("weekdays", "weekday", "workdays", "working days", "business days"), WEEKDAYS[:5]),
    **dict.fromkeys(("weekend", "weekends"), WEEKDAYS[5:]),
    **dict.fromkeys(("day", "days", "daily"), WEEKDAYS),
}
_SHORT: Final = {"tues": "tuesday", "weds": "wednesday", "thur": "thursday", "thurs": "thursday"}
_BY_NAME: Final[Mapping[str, Weekday]] = {
    **{form: day for day in WEEKDAYS for form in (day, f"{day}s", day[:3])},
    **{form: day for form, name in _SHORT.items() for day in WEEKDAYS if day == name},
}
_AHEAD: Final = {"today": timedelta(0), "tomorrow": timedelta(1)}
_END: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[a-z]+"
_RANGE: Final = re.compile(rf"(?:from )?({_END})\s*(?:/|\.\.\.?|-|to|until|till|through|thru)\s*({_END})")
_EACH: Final = re.compile(r"(?:on|every|each|all)\s+")
_EXPECTED: Final = (
    "Expected dates, ranges of dates or weekdays, such as 2026-12-04, 2026-12-20/2027-01-03 or friday. "
    "A weekday is every week: for one day write its date."
)
_HOURS_EXPECTED: Final = 'Expected hours such as 09:00-12:00, 13:00-17:00, or "none", or "weekly".'


@dataclass(frozen=True, slots=True)
class AskedDays:
    """Days as they were written.

    Attributes:
        text: The text.
        parts: Weekdays, and first and last days of ranges.
    """

    text: str
    parts: tuple[Weekday | tuple[AskedDay, AskedDay], ...]

    @override
    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class AskedHours:
    """Hours as they were written.

    Attributes:
        text: The text.
        hours: The hours; None for the weekly ones.
    """

    text: str
    hours: DayIntervals | None

    @override
    def __str__(self) -> str:
        return self.text


def parse_days(text: str) -> AskedDays:
    """Read days such as `2026-12-04, 2026-12-20/2027-01-03` or `monday to friday`. Raises ValueError."""
    parts = [part for part in re.split(r"[,;|\n]|\band\b", checked_text(text).casefold()) if part.strip()]
    if not parts or len(parts) > _MOST_PARTS:
        raise ValueError(_EXPECTED)
    return AskedDays(text.strip(), tuple(found for part in parts for found in _days_in(folded(part))))


def _days_in(part: str) -> Sequence[Weekday | tuple[AskedDay, AskedDay]]:
    plain = _EACH.sub("", part, count=1)
    if plain in _SEVERAL:
        return _SEVERAL[plain]
    if plain in _BY_NAME:
        return (_BY_NAME[plain],)
    found = _RANGE.fullmatch(plain)
    if found is None:
        day = _day(plain)
        return ((day, day),)
    first, last = found.groups()
    if first in _BY_NAME and last in _BY_NAME:
        start, end = (WEEKDAYS.index(_BY_NAME[name]) for name in (first, last))
        return tuple(WEEKDAYS[number % 7] for number in range(start, end + (7 if end < start else 0) + 1))
    return ((_day(first), _day(last)),)


def _day(text: str) -> AskedDay:
    if text in _AHEAD:
        return _AHEAD[text]
    try:
        return date.fromisoformat(text if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else "")
    except ValueError:
        raise ValueError(_EXPECTED) from None


def parse_asked_hours(text: str) -> AskedHours:
    """Read hours of a day, `none` or `weekly`. Raises ValueError."""
    text = text.strip()
    plain = folded(checked_text(text))
    if plain in _NONE:
        return AskedHours(text, NO_HOURS)
    if plain in _WEEKLY:
        return AskedHours(text, None)
    if not re.search("[0-9]", plain):
        raise ValueError(_HOURS_EXPECTED)
    return AskedHours(text, parse_hours(text))


def _joined(value: object) -> object:
    """Return a list of texts as one text: models write both."""
    plain = value
    items = cast("list[object]", value) if isinstance(value, list) else [None]
    texts = [item for item in items if isinstance(item, str)]
    return ", ".join(texts) or "none" if len(texts) == len(items) else plain


def _listed(value: object) -> object:
    """Return one change as a list of it."""
    plain = value
    return [plain] if isinstance(value, dict) else plain


@with_config(CLOSED)
class HoursOnDays(TypedDict):
    """Other hours on some days."""

    days: Annotated[
        AskedDays,
        AsText(parse_days),
        BeforeValidator(_joined),
        Field(description="2026-12-04, 2026-12-20/2027-01-03; friday: every week"),
    ]
    hours: Annotated[
        AskedHours,
        AsText(parse_asked_hours),
        BeforeValidator(_joined),
        Field(description="09:00-12:00, 13:00-17:00; none; weekly: as every week"),
    ]


Changes = Annotated[list[HoursOnDays], Field(min_length=1), at_most(_MOST_CHANGES), BeforeValidator(_listed)]


def orders_of(changes: Sequence[HoursOnDays], today: date) -> Orders:
    """Return the hours for each weekday and date; `today` is the date in the schedule's zone.

    Raises:
        ArgumentError: A date is past or too far ahead, a day is asked for twice, or a weekday has no other hours.
    """
    orders: dict[DayKey, DayIntervals | None] = {}
    named = 0
    for number, change in enumerate(changes):
        place, hours = f"changes.{number}.days", change["hours"].hours
        for key in _keys(change["days"], today, place):
            named += 1
            if named > _MOST_DAYS:
                raise ArgumentError.of(place, f"One call names at most {_MOST_DAYS} days.")
            if orders.get(key, hours) != hours:
                raise ArgumentError.of(place, f"Two changes give {key} different hours.")
            if hours is None and not isinstance(key, date):
                raise ArgumentError.of(
                    f"changes.{number}.hours", "Weekly hours are for dates: say which hours a weekday has from now on."
                )
            orders[key] = hours
    return orders


def _keys(days: AskedDays, today: date, place: str) -> Iterator[DayKey]:
    latest = _in_a_year(today)
    for part in days.parts:
        if isinstance(part, str):
            yield part
            continue
        first, last = (today + day if isinstance(day, timedelta) else day for day in part)
        if last < first:
            raise ArgumentError.of(place, f"The range ends before it begins: {first} to {last}.")
        if first < today:
            raise ArgumentError.of(place, f"{first} is past: in the schedule's zone today is {today}.")
        if last > latest:
            raise ArgumentError.of(
                place, f"{last} is more than a year ahead: the last day that can be set is {latest}."
            )
        yield from (first + timedelta(days=number) for number in range((last - first).days + 1))


def _in_a_year(today: date) -> date:
    try:
        return today.replace(year=today.year + 1)
    except ValueError:  # 29 February
        return today.replace(year=today.year + 1, day=28)
