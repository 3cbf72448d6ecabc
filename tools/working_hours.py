"""Working hours by an availability schedule. Pure.

Spans are half open, in UTC. Working hours are clock times in the schedule's own zone. Each end is
converted on its own day, so days with a clock change are right.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from typing import Final, Literal, get_args
from zoneinfo import ZoneInfo

from calendly.models import AvailabilitySchedule
from calendly.models.availability import AvailabilityRule, Rule
from tools.zones import zone_of

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
class HoursOfHost:
    """The working hours of a person by a schedule, or by the rules of an event type, in the zone of these."""

    zone: ZoneInfo
    schedule: AvailabilitySchedule | AvailabilityRule

    @classmethod
    def of(cls, schedules: Sequence[AvailabilitySchedule]) -> "HoursOfHost | None":
        """Return what a person's schedules tell, the default one first; None if that is nothing."""
        chosen = next((row for row in schedules if row.get("default")), schedules[0] if schedules else None)
        zone = zone_of(chosen.get("timezone")) if chosen else None
        return cls(zone, chosen) if chosen and zone else None

    def within(self, window: Span) -> list[Span]:
        """Return the hours within a window, in order."""
        return working_spans(self.schedule, self.zone, window)


def common_spans(of_hosts: Iterable[Iterable[Span]]) -> list[Span]:
    """Return the hours at which everybody works, of the hours of each."""
    return reduce(_overlaps, map(list[Span], of_hosts))


def _overlaps(some: Iterable[Span], others: Sequence[Span]) -> list[Span]:
    return [clipped for one in some for other in others if (clipped := _clipped(one, other))]


def working_spans(schedule: AvailabilitySchedule | AvailabilityRule, zone: ZoneInfo, window: Span) -> list[Span]:
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
