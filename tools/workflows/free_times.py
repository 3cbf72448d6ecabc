"""Possible start times, from working hours, busy times and preferences. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tools.working_hours import Span


@dataclass(frozen=True, slots=True)
class Hours:
    """The accepted weekdays and hours.

    Attributes:
        zone: The zone of the clock times.
        weekdays: The weekdays, Monday is 0.
        earliest: The earliest start.
        latest: The latest end, None for the end of the day.
    """

    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset(range(7))
    earliest: time = time.min
    latest: time | None = None

    def hold(self, start: datetime, length: timedelta) -> bool:
        """Return whether a meeting is within the hours."""
        begins, ends = start.astimezone(self.zone), (start + length).astimezone(self.zone)
        if begins.weekday() not in self.weekdays or begins.time() < self.earliest:
            return False
        return self.latest is None or (ends.date() == begins.date() and ends.time() <= self.latest)


def without(spans: Iterable[Span], busy: Iterable[Span]) -> list[Span]:
    """Return the spans without the busy ones."""
    rest = list(spans)
    for taken in busy:
        rest = [
            piece
            for span in rest
            for piece in (Span(span.start, min(span.end, taken.start)), Span(max(span.start, taken.end), span.end))
            if piece.start < piece.end
        ]
    return sorted(set(rest))


def starts_in(spans: Iterable[Span], length: timedelta, step: timedelta, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the possible starts: full steps on the clock of a zone, such as :00 and :30."""
    for span in spans:
        start = _rounded_up(span.start, step, zone)
        while span.holds(start, length):
            yield start
            start += step


def soonest(starts: Iterable[datetime], zone: ZoneInfo, quota: "DailyQuota") -> list[datetime]:
    """Return starts in order; of each day no more than the quota."""
    return quota.of(sorted(starts), zone)


def nearest(starts: Iterable[datetime], zone: ZoneInfo, quota: "DailyQuota", *, to: time) -> list[datetime]:
    """Return starts, the nearest to a time of day first, then by date; of each day no more than the quota."""

    def distance(start: datetime) -> tuple[timedelta, datetime]:
        local = start.astimezone(zone)
        return abs(_since_midnight(local.time()) - _since_midnight(to)), start

    return quota.of(sorted(starts, key=distance), zone)


@dataclass(frozen=True, slots=True)
class DailyQuota:
    """How many starts of each day are taken.

    Attributes:
        per_day: The most of a day.
        begun: The day of which an earlier answer had some, None for none.
        taken: How many that were.
    """

    per_day: int
    begun: date | None = None
    taken: int = 0

    def of(self, starts: Sequence[datetime], zone: ZoneInfo) -> list[datetime]:
        """Return the first starts of each day."""
        taken: dict[date, int] = {self.begun: self.taken} if self.begun else {}
        kept: list[datetime] = []
        for start in starts:
            day = start.astimezone(zone).date()
            taken[day] = taken.get(day, 0) + 1
            if taken[day] <= self.per_day:
                kept.append(start)
        return kept

    def used(self, starts: Iterable[datetime], zone: ZoneInfo, day: date) -> int:
        """Return how many starts of a day were taken, in earlier answers too."""
        before = self.taken if day == self.begun else 0
        return before + sum(start.astimezone(zone).date() == day for start in starts)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)


def _rounded_up(instant: datetime, step: timedelta, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    over = (_since_midnight(local.time()) + timedelta(microseconds=local.microsecond)) % step
    return instant + (step - over if over else timedelta())
