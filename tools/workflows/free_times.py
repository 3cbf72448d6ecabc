"""Possible start times, from working hours, busy times and preferences. Pure.

Spans are half open, in UTC. Working hours are clock times in a zone. Each end is converted on its
own day, so days with a clock change are right.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from calendly.models import AvailabilitySchedule
from calendly.models.availability import Rule

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

WEEKDAYS: Final[tuple[Weekday, ...]] = get_args(Weekday)
MIDNIGHT: Final = "24:00"
"""The end of a day."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From `start` until just before `end`."""

    start: datetime
    end: datetime

    def holds(self, start: datetime, length: timedelta) -> bool:
        """Return whether a meeting fits."""
        return self.start <= start and start + length <= self.end


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


def working_spans(schedule: AvailabilitySchedule, zone: ZoneInfo, window: Span) -> list[Span]:
    """Return the working hours within a window, in order. Hours of a date override those of its weekday."""
    by_weekday = {rule.get("wday"): rule for rule in schedule.get("rules") or [] if rule.get("type") == "wday"}
    by_date = {rule.get("date"): rule for rule in schedule.get("rules") or [] if rule.get("type") == "date"}
    day, last = (instant.astimezone(zone).date() for instant in (window.start, window.end))
    spans: list[Span] = []
    while day <= last:
        rule = by_date.get(day.isoformat()) or by_weekday.get(WEEKDAYS[day.weekday()])
        spans += _spans_of(rule, day, zone)
        day += _DAY
    return _joined(clipped for span in spans if (clipped := _clipped(span, window)))


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
    """Return starts in order, as many of each day as the quota has."""
    return quota.of(sorted(starts), zone)


def nearest(starts: Iterable[datetime], zone: ZoneInfo, quota: "DailyQuota", *, to: time) -> list[datetime]:
    """Return starts by their distance to a time of day, then by date, as many of each day as the quota has."""

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
        """Return how many of a day were taken, those of earlier answers included."""
        before = self.taken if day == self.begun else 0
        return before + sum(start.astimezone(zone).date() == day for start in starts)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second)


def _spans_of(rule: Rule | None, day: date, zone: ZoneInfo) -> Iterator[Span]:
    for interval in (rule.get("intervals") if rule else None) or []:
        start, end = _instant(day, interval.get("from"), zone), _instant(day, interval.get("to"), zone)
        if start is not None and end is not None and start < end:
            yield Span(start, end)


def _instant(day: date, clock: str | None, zone: ZoneInfo) -> datetime | None:
    try:
        at = time.min if clock == MIDNIGHT else time.fromisoformat(clock or "")
    except ValueError:
        return None
    return datetime.combine(day + _DAY if clock == MIDNIGHT else day, at, zone).astimezone(UTC)


def _clipped(span: Span, window: Span) -> Span | None:
    start, end = max(span.start, window.start), min(span.end, window.end)
    return Span(start, end) if start < end else None


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Sort spans and merge those that touch or overlap."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def _rounded_up(instant: datetime, step: timedelta, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    over = (_since_midnight(local.time()) + timedelta(microseconds=local.microsecond)) % step
    return instant + (step - over if over else timedelta())
