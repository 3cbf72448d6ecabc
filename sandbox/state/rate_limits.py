"""How many calls a user has left: pure arithmetic over windows of time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.records.people import Plan


@dataclass(frozen=True)
class CallLimit:
    """At most `limit` calls in `seconds`."""

    limit: int
    seconds: int


@dataclass(frozen=True)
class CountedWindow:
    """The calls counted since a moment."""

    opened: datetime
    used: int


@dataclass(frozen=True)
class Reading:
    """What the X-RateLimit headers say; `reset` is in seconds from now."""

    limit: int
    remaining: int
    reset: int
    allowed: bool

    @property
    def headers(self) -> dict[str, str]:
        """Return the three headers every answer of the API carries."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


# Requests a minute for each user, shared by all tokens of that user.
PER_MINUTE: Final[dict[Plan, int]] = {"free": 50, "paid": 500, "enterprise": 500}

# POST /invitees. No figures are published for Free: it has those of the smallest paid plan here.
_PAID_BOOKING: Final = (CallLimit(10, 60), CallLimit(50, 3600), CallLimit(100, 86400))
BOOKING: Final[dict[Plan, tuple[CallLimit, ...]]] = {
    "free": _PAID_BOOKING,
    "paid": _PAID_BOOKING,
    "enterprise": (CallLimit(500, 60),),
}

# OAuth token requests of one user.
TOKEN_REQUESTS: Final = CallLimit(8, 60)


def spend(window: CountedWindow | None, ceiling: CallLimit, now: datetime) -> tuple[CountedWindow, Reading]:
    """Count one call against a ceiling.

    Returns:
        The window after it (unchanged by a call that is refused) and what is left.
    """
    length = timedelta(seconds=ceiling.seconds)
    if window is None or not window.opened <= now < window.opened + length:
        window = CountedWindow(now, 0)
    reset = math.ceil((window.opened + length - now).total_seconds())
    if window.used >= ceiling.limit:
        return window, Reading(ceiling.limit, 0, reset, allowed=False)
    used = window.used + 1
    return CountedWindow(window.opened, used), Reading(ceiling.limit, ceiling.limit - used, reset, allowed=True)


class Meters:
    """The windows of every user, under names such as `requests` or `booking`."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str, int], CountedWindow] = {}

    def spend(self, name: str, user: str, ceilings: Sequence[CallLimit], now: datetime) -> Reading:
        """Count one call against all ceilings, or against none when one of them refuses it.

        Returns:
            The reading of the first ceiling that refuses, else that of the first ceiling.
        """
        spent = {
            (name, user, ceiling.seconds): spend(self._windows.get((name, user, ceiling.seconds)), ceiling, now)
            for ceiling in ceilings
        }
        readings = [reading for _, reading in spent.values()]
        for reading in readings:
            if not reading.allowed:
                return reading
        self._windows.update({key: window for key, (window, _) in spent.items()})
        return readings[0]
