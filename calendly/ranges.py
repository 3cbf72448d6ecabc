"""Fetches long time ranges: splits them, fetches the parts at once, and merges the rows."""

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from calendly.errors import InvalidArgument
from calendly.side_by_side import side_by_side

T = TypeVar("T")
FetchRange = Callable[[datetime, datetime], Awaitable[Sequence[T]]]

BUSY_TIMES_DAYS: Final = 7
"""The longest range of busy times (developer.calendly.com, "List user busy times")."""

AVAILABLE_TIMES_DAYS: Final = 31
"""The longest range of available times since 2026-07-09 (the same, "List event type available times")."""

# The limit of available times before, to which a refusal leads back.
_CAUTIOUS_DAYS: Final = 7

_ABOUT_THE_RANGE: Final = re.compile(r"\brange\b|\bdays?\b", re.IGNORECASE)


@dataclass(slots=True)
class Cap:
    """The longest range of one request, lowered when Calendly refuses it.

    Attributes:
        days: The range in days.
    """

    days: int

    def lower(self, refused: int) -> bool:
        """Lower the cap after Calendly refused `refused` days.

        Return whether a shorter range is left to try.
        """
        self.days = min(self.days, _CAUTIOUS_DAYS)
        return self.days < refused


def split(start: datetime, end: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """Split [start, end) into consecutive UTC ranges of at most `days` times 24 hours.

    Raises:
        ValueError: A time has no offset, or the range is empty.
    """
    if start.tzinfo is None or end.tzinfo is None or end <= start:
        raise ValueError("A range has two times with offsets, the first before the second.")
    start, end, step = start.astimezone(UTC), end.astimezone(UTC), timedelta(days=days)
    cuts = [start]
    while end - cuts[-1] > step:
        cuts.append(cuts[-1] + step)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def merge(parts: Iterable[Iterable[T]], key: Callable[[T], Hashable]) -> list[T]:
    """Join the rows of consecutive ranges in order. Of rows with the same key the first one stays."""
    rows: dict[Hashable, T] = {}
    for part in parts:
        for row in part:
            rows.setdefault(key(row), row)
    return list(rows.values())


async def fetch_range(
    fetch: FetchRange[T], start: datetime, end: datetime, *, cap: Cap, key: Callable[[T], Hashable]
) -> list[T]:
    """Fetch [start, end) in as few requests as the cap allows, all at once; shorter ones if Calendly refuses.

    Args:
        fetch: Fetches the rows of one range.
        start: The first instant.
        end: The instant after the last.
        cap: The longest range of one request; it is lowered here.
        key: Identifies a row, as one can be in two ranges.

    Raises:
        CalendlyError: A request failed. The others are cancelled.
        ValueError: As `split`.
    """
    while True:
        days = cap.days
        try:
            parts = [partial(fetch, first, last) for first, last in split(start, end, days)]
            return merge(await side_by_side(parts), key)
        except InvalidArgument as refusal:
            if not (_is_about_the_range(refusal) and cap.lower(days)):
                raise


def _is_about_the_range(refusal: InvalidArgument) -> bool:
    texts = [refusal.message or "", *(detail.get("message", "") for detail in refusal.details)]
    return any(_ABOUT_THE_RANGE.search(text) for text in texts)
