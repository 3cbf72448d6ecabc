"""How often one address may knock: a sliding window over two fixed ones, as pure arithmetic.

Two counts are stored for an address, that of the running minute and that of the one before. The latter weighs less the
further the running minute has come, so no burst of twice the limit fits around the turn of a minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

PERIOD: Final = timedelta(minutes=1)
_MICROSECOND: Final = timedelta(microseconds=1)


Counted = Literal["registrations", "sign_ins", "failed_token_requests", "bad_bearers"]

RATE_LIMITS: Final[Mapping[Counted, int]] = MappingProxyType(
    {"registrations": 60, "sign_ins": 600, "failed_token_requests": 120, "bad_bearers": 120}
)
"""How many of each one address may have in a minute, unless an operator says otherwise."""


@dataclass(frozen=True, slots=True)
class Window:
    """The counts of one address: of the minute that began at `starts_at`, and of the minute before."""

    starts_at: datetime
    current: int = 0
    previous: int = 0


def window_start(now: datetime) -> datetime:
    """Return when the running minute began."""
    return datetime.fromtimestamp(now.timestamp() // PERIOD.total_seconds() * PERIOD.total_seconds(), UTC)


def wait(window: Window, most: int, now: datetime) -> int | None:
    """Return after how many whole seconds one more fits, at least 1, or None when it fits now."""
    elapsed, period = (now - window.starts_at) // _MICROSECOND, PERIOD // _MICROSECOND
    room = most - 1 - window.current
    if window.previous * (period - elapsed) <= room * period:
        return None
    if room >= 0:  # it fits within this minute, once the one before weighs little enough
        opens = period - room * period // window.previous
    else:  # it fits in the next, once this one weighs little enough
        opens = 2 * period - (most - 1) * period // window.current
    return max(1, -((elapsed - opens) * _MICROSECOND // timedelta(seconds=1)))
