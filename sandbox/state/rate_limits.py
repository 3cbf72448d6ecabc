"""Calendly's rate limits: pure arithmetic over fixed windows of time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sandbox.records.people import Plan


@dataclass(frozen=True)
class CallLimit:
    """A rate limit.

    Attributes:
        count: Requests per window.
        seconds: Length of the window.
    """

    count: int
    seconds: int


@dataclass(frozen=True)
class CountedWindow:
    """The current window of one rate limit.

    Attributes:
        opened: When it began.
        used: Requests counted since.
    """

    opened: datetime
    used: int


@dataclass(frozen=True)
class Reading:
    """The state of a rate limit after one request.

    Attributes:
        limit: Requests per window.
        remaining: Requests left in the window.
        reset: Seconds until the next window.
        allowed: Whether the request was within the limit.
    """

    limit: int
    remaining: int
    reset: int
    allowed: bool

    @property
    def headers(self) -> dict[str, str]:
        """The three headers of every API response."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }


# Requests per minute and user; all tokens of a user share them.
PER_MINUTE: Final[dict[Plan, int]] = {"free": 50, "paid": 500, "enterprise": 500}

# POST /invitees. Calendly publishes no figures for Free, which has those of the smallest paid plan here.
_PAID_BOOKING: Final = (CallLimit(10, 60), CallLimit(50, 3600), CallLimit(100, 86400))
BOOKING: Final[dict[Plan, tuple[CallLimit, ...]]] = {
    "free": _PAID_BOOKING,
    "paid": _PAID_BOOKING,
    "enterprise": (CallLimit(500, 60),),
}

# OAuth token requests per user.
TOKEN_REQUESTS: Final = CallLimit(8, 60)


def spend(window: CountedWindow | None, limit: CallLimit, now: datetime) -> tuple[CountedWindow, Reading]:
    """Count one request against a limit.

    Returns:
        The window afterwards, which a refused request does not change, and the state of the limit.
    """
    length = timedelta(seconds=limit.seconds)
    if window is None or not window.opened <= now < window.opened + length:
        window = CountedWindow(now, 0)
    reset = math.ceil((window.opened + length - now).total_seconds())
    if window.used >= limit.count:
        return window, Reading(limit.count, 0, reset, allowed=False)
    used = window.used + 1
    return CountedWindow(window.opened, used), Reading(limit.count, limit.count - used, reset, allowed=True)


class Meters:
    """The windows of every user, by names such as `requests` or `booking`."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str, int], CountedWindow] = {}

    def spend(self, name: str, user: str, limits: Sequence[CallLimit], now: datetime) -> Reading:
        """Count one request against all limits, or against none when one of them refuses it.

        Returns:
            The state of the first limit that refuses, else of the first limit.
        """
        spent = {
            (name, user, limit.seconds): spend(self._windows.get((name, user, limit.seconds)), limit, now)
            for limit in limits
        }
        readings = [reading for _, reading in spent.values()]
        for reading in readings:
            if not reading.allowed:
                return reading
        self._windows.update({key: window for key, (window, _) in spent.items()})
        return readings[0]
