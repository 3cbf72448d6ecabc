"""Reads Calendly's headers `X-RateLimit-Limit`, `-Remaining`, `-Reset` and `Retry-After`.

The reset is in seconds from now, not a time (developer.calendly.com, "API rate limits"). A value
that is no sensible number counts as missing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

_LARGEST_COUNT: Final = 1_000_000
_LONGEST_RESET: Final = 3_600.0
_LONGEST_PAUSE: Final = 86_400.0
_NUMBER: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """The headers of one answer; None where one is missing or absurd.

    Attributes:
        limit: Calls per window.
        remaining: Calls left in the window.
        reset: Seconds until the next window.
        retry_after: Seconds until a repeat makes sense.
    """

    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    retry_after: float | None = None

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> "RateHeaders":
        """Read the headers of an answer, given by their lower-case names."""
        limit = _number(headers.get("x-ratelimit-limit", ""), _LARGEST_COUNT)
        remaining = _number(headers.get("x-ratelimit-remaining", ""), _LARGEST_COUNT)
        return cls(
            limit=int(limit) if limit else None,  # a limit of 0 would stop every call
            remaining=None if remaining is None else int(remaining),
            reset=_number(headers.get("x-ratelimit-reset", ""), _LONGEST_RESET),
            retry_after=_pause(headers),
        )


def _number(text: str, largest: float) -> float | None:
    number = float(text) if _NUMBER.fullmatch(text) else None
    return number if number is not None and number <= largest else None


def _pause(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, or a date (RFC 9110, 10.2.3) relative to the answer's own Date."""
    text = headers.get("retry-after")
    if text is None:
        return None
    try:
        pause = parsedate_to_datetime(text) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError, OverflowError):
        return _number(text, _LONGEST_PAUSE)
    return min(max(0.0, pause.total_seconds()), _LONGEST_PAUSE)
