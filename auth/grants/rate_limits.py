"""Rate limits of an address: a sliding window over two fixed ones, as pure arithmetic.

Two counts are stored for an address: of the current minute and of the minute before. The older
count weighs less as the current minute goes on, so no burst of twice the limit fits around the turn
of a minute.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

PERIOD: Final = timedelta(minutes=1)
_MICROSECOND: Final = timedelta(microseconds=1)


Counted = Literal["registrations", "sign_ins", "failed_token_requests", "bad_bearers", "document_fetches"]

RATE_LIMITS: Final[Mapping[Counted, int]] = MappingProxyType(
    {"registrations": 60, "sign_ins": 600, "failed_token_requests": 120, "bad_bearers": 120, "document_fetches": 30}
)
"""How many of each an address may send in a minute; of documents, how many are fetched from one host."""


@dataclass(frozen=True, slots=True)
class RequestWindow:
    """The requests of one address.

    Attributes:
        starts_at: When the current minute began.
        current: How many in the current minute.
        previous: How many in the minute before.
    """

    starts_at: datetime
    current: int = 0
    previous: int = 0


def window_start(now: datetime) -> datetime:
    """Return when the current minute began."""
    return datetime.fromtimestamp(now.timestamp() // PERIOD.total_seconds() * PERIOD.total_seconds(), UTC)


def wait(window: RequestWindow, most: int, now: datetime) -> int | None:
    """Return the whole seconds, at least 1, until one more request fits; None when it fits now."""
    elapsed, period = (now - window.starts_at) // _MICROSECOND, PERIOD // _MICROSECOND
    room = most - 1 - window.current
    if window.previous * (period - elapsed) <= room * period:
        return None
    if room >= 0:  # it fits in this minute, once the minute before weighs little enough
        opens = period - room * period // window.previous
    else:  # it fits in the next minute, once this one weighs little enough
        opens = 2 * period - (most - 1) * period // window.current
    return max(1, -((elapsed - opens) * _MICROSECOND // timedelta(seconds=1)))
