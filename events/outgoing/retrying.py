"""When a post that failed is tried again, and when a subscription is suspended. Pure.

Five attempts, at 0 s, 15 s, 1, 4 and 12 minutes from the first, each but the first earlier or later
by up to a fifth. A `Retry-After` counts where it asks for more and ends within 15 minutes of the
first attempt. After an attempt that was made so late that the next is overdue, as after a long
`Retry-After`, the next comes as long after it as the two are apart in the table.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final, Literal

OFFSETS: Final = (0, 15, 60, 240, 720)
"""When the attempts are made, in seconds from the first."""

_JITTER: Final = 0.2
_PATIENCE: Final = timedelta(minutes=15)
_MOST_DIGITS: Final = 9
_REFUSED_FOR_GOOD: Final = frozenset({HTTPStatus.GONE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})

SUSPENDED_AFTER: Final = timedelta(minutes=60)
SUSPENDED_AT: Final = 20
"""Failed attempts."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """The attempts to deliver one event.

    Attributes:
        first_at: When the first was made.
        made: How many have been made.
    """

    first_at: datetime
    made: int


def outcome(status: int) -> Literal["arrived", "refused", "failed"]:
    """Return what an answer means: `refused` is for good, `failed` is tried again."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return "arrived"
    return "refused" if status in _REFUSED_FOR_GOOD else "failed"


def next_attempt(
    attempts: Attempts, now: datetime, random: float, asked_for: timedelta | None = None
) -> datetime | None:
    """Return when to try again, None where the event is given up.

    Args:
        attempts: Those made so far.
        now: The present.
        random: From 0 to 1.
        asked_for: What the answer's `Retry-After` asks for.
    """
    if attempts.made >= len(OFFSETS):
        return None
    stretch = 1 + _JITTER * (2 * random - 1)
    due = attempts.first_at + timedelta(seconds=OFFSETS[attempts.made] * stretch)
    if due <= now:
        due = now + timedelta(seconds=(OFFSETS[attempts.made] - OFFSETS[attempts.made - 1]) * stretch)
    last = attempts.first_at + _PATIENCE
    if asked_for is not None and due - now < asked_for <= last - now:
        due = now + asked_for
    return due


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Read a `Retry-After`: seconds or a date (RFC 9110, 10.2.3). Returns None where there is none to read."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text)) if len(text) <= _MOST_DIGITS else timedelta.max
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(0), (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now)


def is_suspended(failed_since: datetime | None, failures: int, now: datetime) -> bool:
    """Return whether nothing got through for so long, in so many attempts, that no more are made.

    Args:
        failed_since: When the first attempt after the last that arrived failed, None where none did.
        failures: How many have failed since.
        now: The present.
    """
    return failed_since is not None and now - failed_since >= SUSPENDED_AFTER and failures >= SUSPENDED_AT
