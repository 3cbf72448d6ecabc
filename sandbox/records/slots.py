"""When a user can be booked: working hours in their own zone, minus busy times. Pure functions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

DayHours = tuple[tuple[time, time], ...]
"""Opening and closing times; one that closes at midnight closes at 00:00."""

WEEKEND: Final = frozenset({5, 6})  # Monday is 0


@dataclass(frozen=True)
class TimeSpan:
    """A range of time, without its end.

    Attributes:
        start: The first instant, an aware time.
        end: The instant after the last, an aware time.
    """

    start: datetime
    end: datetime

    def overlaps(self, other: "TimeSpan") -> bool:
        """Return whether both share more than an edge."""
        return self.start < other.end and other.start < self.end

    def contains(self, other: "TimeSpan") -> bool:
        """Return whether the other lies within this one, edges included."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True)
class WorkingHours:
    """Working hours as wall-clock times.

    Attributes:
        zone: IANA name of the time zone.
        weekdays: The hours of each weekday; Monday is 0.
        dates: The hours of single dates, which override those of the weekday.
    """

    zone: str
    weekdays: Mapping[int, DayHours]
    dates: Mapping[date, DayHours]


@dataclass(frozen=True)
class Rhythm:
    """How an event type fills time.

    Attributes:
        duration: Length of a meeting.
        step: Time between two possible starts.
        before: Free time needed before a meeting.
        after: Free time needed after it.
    """

    duration: timedelta
    step: timedelta
    before: timedelta
    after: timedelta


def working_intervals(hours: WorkingHours, window: TimeSpan) -> Iterator[TimeSpan]:
    """Yield the working hours of each day that touches the window, in UTC.

    Each end is converted on its own, so a day on which the clocks change keeps its wall-clock hours.
    """
    zone = ZoneInfo(hours.zone)
    day = window.start.astimezone(zone).date()
    last = window.end.astimezone(zone).date()
    while day <= last:
        for opens, closes in hours.dates.get(day, hours.weekdays.get(day.weekday(), ())):
            last_day = day if closes > opens else day + timedelta(days=1)
            yield TimeSpan(
                datetime.combine(day, opens, zone).astimezone(UTC),
                datetime.combine(last_day, closes, zone).astimezone(UTC),
            )
        day += timedelta(days=1)


def open_starts(hours: WorkingHours, rhythm: Rhythm, busy: Sequence[TimeSpan], window: TimeSpan) -> Iterator[datetime]:
    """Yield the times in the window at which a meeting can start, in order."""
    for working in working_intervals(hours, window):
        around = TimeSpan(working.start - rhythm.before, working.end + rhythm.after)
        near = [taken for taken in busy if taken.overlaps(around)]
        start = working.start
        while start + rhythm.duration <= working.end:
            needed = TimeSpan(start - rhythm.before, start + rhythm.duration + rhythm.after)
            if window.start <= start < window.end and not any(needed.overlaps(taken) for taken in near):
                yield start
            start += rhythm.step
