"""How many bookings an agent may make within 24 hours. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auth.access.levels import Decision, Source

PERIOD: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Taken:
    """One more booking is allowed.

    Attributes:
        counted: The instants that count from now on, the new one last.
    """

    counted: tuple[datetime, ...]


@dataclass(frozen=True, slots=True)
class Full:
    """No more bookings are allowed.

    Attributes:
        until: When the next one is possible, None if never.
    """

    until: datetime | None


def take(counted: Sequence[datetime], limit: int, now: datetime) -> Taken | Full:
    """Decide about one more booking.

    Args:
        counted: The instants of earlier bookings.
        limit: How many are allowed within 24 hours.
        now: The time.
    """
    recent = sorted(instant for instant in counted if instant > now - PERIOD)
    if len(recent) < limit:
        return Taken((*recent, now))
    return Full(_whole_second_after(recent[len(recent) - limit] + PERIOD) if limit else None)


def full(room: Full, limit: int, source: Source) -> Decision:
    """Return the refusal of one more booking.

    Args:
        room: When the next one is possible.
        limit: How many are allowed within 24 hours.
        source: Whose rule that is.
    """
    until = f"; the next one is possible at {room.until:%Y-%m-%dT%H:%M:%SZ}" if room.until else ""
    return Decision("deny", f"booking is limited to {limit} within 24 hours{until}", source)


def give_back(counted: Sequence[datetime], instant: datetime) -> tuple[datetime, ...]:
    """Return the instants that count without one booking that was not made."""
    rest = list(counted)
    if instant in rest:
        rest.remove(instant)
    return tuple(rest)


def _whole_second_after(instant: datetime) -> datetime:
    """Round up to a whole second: the time is told without fractions, and must not be too early."""
    return instant if instant.microsecond == 0 else instant.replace(microsecond=0) + timedelta(seconds=1)
