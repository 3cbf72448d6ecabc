"""Meeting limits: how many meetings a user hosts at most in a day, a week and a month."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.records.records import Records


def full_at(records: Records, host: str, zone: str) -> Callable[[datetime], bool]:
    """Return whether a host has as many meetings as may be in the day, week or month of a time.

    All that they host count, except those that are canceled. A week starts on Sunday, a month is the calendar's.
    """
    most, where = records.users[host].most, ZoneInfo(zone)
    limits = {"day": most.day, "week": most.week, "month": most.month}
    met = Counter(
        period
        for event in records.events.values()
        if host in event.hosts and event.cancellation is None
        for period in _periods(event.times.start.astimezone(where).date())
    )

    def is_full(start: datetime) -> bool:
        return any(
            (limit := limits[period[0]]) is not None and met[period] >= limit
            for period in _periods(start.astimezone(where).date())
        )

    return is_full


def _periods(day: date) -> tuple[tuple[str, date], ...]:
    sunday = day - timedelta(days=(day.weekday() + 1) % 7)
    return ("day", day), ("week", sunday), ("month", day.replace(day=1))
