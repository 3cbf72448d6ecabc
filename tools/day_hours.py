"""The hours of one day: as people write them, and as Calendly has them. Pure.

Hours are clock times, in minutes after midnight, so no clock change touches them.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from calendly.models.availability import Interval, Rule
from tools.matching import folded

DayIntervals = tuple[tuple[int, int], ...]
"""Intervals of one day in order, none touching another; none at all where the day is closed."""

NO_HOURS: Final[DayIntervals] = ()
DAY: Final = 24 * 60
"""Minutes of a day."""

_MOST: Final = 48
"""Most intervals that one day is given."""

_CLOCK: Final = r"(\d{1,2})(?::?(\d\d)(?::00)?)?\s*([ap])?(?:\.?m\.?)?"
_TIME: Final = re.compile(_CLOCK)
_INTERVAL: Final = re.compile(rf"(?:from )?{_CLOCK}\s*(?:-|to|until|till)\s*{_CLOCK}")
_MAY_BE_EITHER: Final = re.compile(r"(?:from )?[1-6]\s*(?:-|to|until|till)\s*1?\d")
"""Bare hours that begin before the day does, and in the afternoon as well."""

_SENT: Final = re.compile(r"(\d\d):(\d\d)(?::00)?")
_EXPECTED: Final = "Expected hours such as 09:00-12:00, 13:00-17:00"


def parse_hours(text: str) -> DayIntervals:
    """Read hours such as `09:00-12:00, 13:00-17:00`. Intervals that touch become one.

    Raises:
        ValueError: The text is none, or intervals overlap; the message names them.
    """
    parts = [part for part in re.split(r"[,;|\n]|\band\b", text.casefold()) if part.strip()]
    intervals = sorted(map(parse_interval, parts))
    if len(intervals) > _MOST:
        raise ValueError(f"Must have at most {_MOST} intervals.")
    for first, second in pairwise(intervals):
        if second[0] < first[1]:
            raise ValueError(f"{_told(first)} and {_told(second)} overlap.")
    return merged(intervals)


def parse_interval(text: str) -> tuple[int, int]:
    """Read an interval such as `09:00-12:00`. Raises ValueError."""
    found = _INTERVAL.fullmatch(folded(text))
    if found is None:
        raise ValueError(f"{_EXPECTED}.")
    start, end = _clock(*found.groups()[:3]), _clock(*found.groups()[3:])
    if bool(found[3]) != bool(found[6]):
        raise ValueError(f"{_EXPECTED}: am and pm stand with both times or with none.")
    end = end or (DAY if start else 0)  # midnight is where a day ends; 00:00-00:00 is all or nothing
    if _MAY_BE_EITHER.fullmatch(folded(text)) and start < end <= DAY // 2:
        afternoon = _told((start + DAY // 2, end + DAY // 2))
        raise ValueError(f"This can mean {_told((start, end))} or {afternoon}: write which.")
    if start >= end:
        raise ValueError(f"{_told((start, end))} ends before it begins: hours after midnight belong to the next day.")
    return start, end


def parse_clock(text: str) -> str:
    """Read one time of day, such as `9:00` or `9am`, as `09:00`. Raises ValueError, also for a bare hour."""
    found = _TIME.fullmatch(folded(text))
    if found is None or not (found[2] or found[3]):
        raise ValueError("Expected a time of day such as 09:00.")
    try:
        return clock_of(_clock(*found.groups()))
    except ValueError:
        raise ValueError("Expected a time of day such as 09:00.") from None


def _clock(hour: str, minute: str | None, half: str | None) -> int:
    hours, minutes = int(hour), int(minute or 0)
    if half is not None:
        if not 1 <= hours <= 12:  # noqa: PLR2004 - a clock with am and pm
            raise ValueError(f"{_EXPECTED}.")
        hours = hours % 12 + (12 if half == "p" else 0)
    if minutes >= 60 or hours * 60 + minutes > DAY:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(f"{_EXPECTED}.")
    return hours * 60 + minutes


def merged(intervals: Iterable[tuple[int, int]]) -> DayIntervals:
    """Return intervals in order, those that touch or overlap as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(intervals):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return tuple(joined)


def hours_of(rule: Rule | None) -> DayIntervals:
    """Return the hours of a rule that Calendly sent; what is unreadable counts as none."""
    spans: list[tuple[int, int]] = []
    for interval in (rule.get("intervals") if rule else None) or []:
        start, end = _sent(interval.get("from")), _sent(interval.get("to"))
        if start is not None and end is not None and start < end:
            spans.append((start, end))
    return merged(spans)


def _sent(clock: str | None) -> int | None:
    found = _SENT.fullmatch(clock or "")
    minutes = int(found[1]) * 60 + int(found[2]) if found else DAY + 1
    return minutes if minutes <= DAY else None


def intervals_of(hours: DayIntervals) -> list[Interval]:
    """Return hours as Calendly takes them."""
    return [{"from": clock_of(start), "to": clock_of(end)} for start, end in hours]


def told(hours: DayIntervals) -> str:
    """Return hours as people read them, such as `09:00-12:00, 13:00-17:00` or `no hours`."""
    return ", ".join(map(_told, hours)) or "no hours"


def without(hours: DayIntervals, others: DayIntervals) -> DayIntervals:
    """Return the part of some hours that is not within others."""
    edges = sorted({0, DAY, *(edge for interval in (*hours, *others) for edge in interval)})
    return merged(
        (start, end) for start, end in pairwise(edges) if _within(start, hours) and not _within(start, others)
    )


def clock_of(minutes: int) -> str:
    """Return a clock time such as `09:00`; the end of a day is `24:00`."""
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _within(minute: int, hours: DayIntervals) -> bool:
    return any(start <= minute < end for start, end in hours)


def _told(interval: tuple[int, int]) -> str:
    return "-".join(map(clock_of, interval))
