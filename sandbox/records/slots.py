"""When a person can be met: working hours in their own zone, minus what keeps them busy. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DayHours = tuple[tuple[time, time], ...]

WEEKEND: Final = frozenset({5, 6})  # Monday is 0


@dataclass(frozen=True)
class TimeSpan:
    """From `start` until just before `end`, both aware."""

    start: datetime
    end: datetime

    def overlaps(self, other: "TimeSpan") -> bool:
        """Say whether both share more than an edge."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "TimeSpan") -> bool:
        """Say whether the other lies within this one, edges included."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class WorkingHours:
    """Wall-clock hours in a zone: by weekday (Monday is 0), and by date, which overrides the weekday."""

    zone: str
    weekdays: Mapping[int, DayHours]
    dates: Mapping[date, DayHours]


@dataclass(frozen=True)
class Rhythm:
    """How long a meeting is, how often one may start, and the free time it needs around it."""

    duration: timedelta
    step: timedelta
    before: timedelta
    after: timedelta


def working_intervals(hours: WorkingHours, window: TimeSpan) -> Iterator[TimeSpan]:
    """Give the working hours of each day that touches the window, in UTC.

    The ends of each day are converted one by one, so a day on which the clocks change keeps its wall-clock hours.
    """
    zone = ZoneInfo(hours.zone)
    day = window.start.astimezone(zone).date()
    last = window.end.astimezone(zone).date()
    while day <= last:
        for opens, closes in hours.dates.get(day, hours.weekdays.get(day.weekday(), ())):
            yield TimeSpan(
                datetime.combine(day, opens, zone).astimezone(UTC), datetime.combine(day, closes, zone).astimezone(UTC)
            )
        day += timedelta(days=1)


def open_starts(hours: WorkingHours, rhythm: Rhythm, busy: Sequence[TimeSpan], window: TimeSpan) -> Iterator[datetime]:
    """Give the moments in the window at which a meeting may start, in order."""
    for working in working_intervals(hours, window):
        start = working.start
        while start + rhythm.duration <= working.end:
            needed = TimeSpan(start - rhythm.before, start + rhythm.duration + rhythm.after)
            if window.start <= start < window.end and not any(needed.overlaps(taken) for taken in busy):
                yield start
            start += rhythm.step
