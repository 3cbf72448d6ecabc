"""Calendly's rate limits for bookings, which it counts apart (developer.calendly.com, "API rate limits").

No header reports them, so they are a setting. Each is kept as a sliding limit: at most so many
bookings in any such period.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from typing_extensions import override

PAID_PLANS: Final = "10/min,50/h,100/day"
"""The ceilings of the paid plans below Enterprise."""

_PERIODS: Final = {"min": ("minute", 60.0), "h": ("hour", 3_600.0), "day": ("day", 86_400.0)}
_CEILING: Final = re.compile(r"([1-9][0-9]{0,5})/(min|h|day)")


@dataclass(frozen=True, slots=True)
class Ceiling:
    """A rate limit for bookings.

    Attributes:
        count: The most bookings in a period.
        period: Name of the period.
        seconds: Its length.
    """

    count: int
    period: str
    seconds: float

    @override
    def __str__(self) -> str:
        return f"{self.count} per {self.period}"


def parse_ceilings(text: str) -> tuple[Ceiling, ...]:
    """Read the setting: `10/min,50/h,100/day`, any part of it, or `none`.

    Raises:
        ValueError: It is none of these. The message says what is expected.
    """
    if text.strip() == "none":
        return ()
    found = [_CEILING.fullmatch(part.strip()) for part in text.split(",")]
    ceilings = tuple(Ceiling(int(part[1]), *_PERIODS[part[2]]) for part in found if part)
    if len(ceilings) != len(found):
        raise ValueError(f"Booking limits are written like {PAID_PLANS}, or none.")
    return ceilings


class RecentBookings:
    """The bookings of one account that still count against its ceilings.

    Args:
        ceilings: The ceilings.
    """

    def __init__(self, ceilings: Sequence[Ceiling]) -> None:
        self._ceilings = ceilings
        self._times: list[float] = []
        self._closed_until = 0.0

    def wait(self, place: int, now: float) -> tuple[float, Ceiling | None]:
        """Return the seconds until a booking with `place` others before it can start, and the ceiling it waits for."""
        self._forget(now)
        times, wait, binding = [*self._times], 0.0, None
        for _ in range(place + 1):
            free = [(self._free_at(ceiling, times) - now, ceiling) for ceiling in self._ceilings]
            wait, binding = max(free, key=lambda pair: pair[0], default=(0.0, None))
            times.append(now + max(0.0, wait))
        closed = self._closed_until - now
        return (wait, binding) if wait > max(0.0, closed) else (max(0.0, closed), None)

    def add(self, now: float) -> None:
        """Count a booking that starts now."""
        self._times.append(now)

    def take_back(self, time: float) -> None:
        """Stop counting the booking that started at `time`, as it was not sent. It may count no more already."""
        if time in self._times:
            self._times.remove(time)

    def close(self, until: float) -> None:
        """Let no booking start before `until`, after Calendly refused one."""
        self._closed_until = max(self._closed_until, until)

    def is_forgettable(self, now: float) -> bool:
        """Return whether no booking counts any more."""
        self._forget(now)
        return not self._times and now >= self._closed_until

    def _forget(self, now: float) -> None:
        longest = max((ceiling.seconds for ceiling in self._ceilings), default=0.0)
        self._times = [time for time in self._times if now < time + longest]

    @staticmethod
    def _free_at(ceiling: Ceiling, times: Sequence[float]) -> float:
        return times[-ceiling.count] + ceiling.seconds if len(times) >= ceiling.count else 0.0
