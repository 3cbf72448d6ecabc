"""Time ranges longer than Calendly takes in one request: split, fetched side by side, put together again."""

import re
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, TypeVar

from calendly.errors import InvalidArgument
from calendly.side_by_side import side_by_side

Row = TypeVar("Row")
Fetch = Callable[[datetime, datetime], Awaitable[Sequence[Row]]]

# `GET /user_busy_times` takes at most 7 days (developer.calendly.com, "List user busy times").
BUSY_TIMES_DAYS: Final = 7

# `GET /event_type_available_times` takes at most 31 days since 2026-07-09 (developer.calendly.com, changelog), and a
# setting may say otherwise.
AVAILABLE_TIMES_DAYS: Final = 31

# The limit of available times before that, tried when Calendly refuses a longer range.
_CAUTIOUS_DAYS: Final = 7

_ABOUT_THE_RANGE = re.compile(r"\brange\b|\bdays?\b", re.IGNORECASE)


@dataclass(slots=True)
class Cap:
    """The longest range that one request may ask for, in days, as learned from Calendly's refusals."""

    days: int

    def lower(self, refused: int) -> bool:
        """Remember that Calendly refused a range of `refused` days; say whether a shorter one is left to try."""
        self.days = min(self.days, _CAUTIOUS_DAYS)
        return self.days < refused


def split(start: datetime, end: datetime, days: int) -> list[tuple[datetime, datetime]]:
    """Cut [start, end) into consecutive ranges of at most `days` times 24 hours, in UTC, without gap or overlap.

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


def merge(parts: Iterable[Iterable[Row]], key: Callable[[Row], Hashable]) -> list[Row]:
    """Put the rows of consecutive ranges together in order; of rows with the same key the first one stays."""
    rows: dict[Hashable, Row] = {}
    for part in parts:
        for row in part:
            rows.setdefault(key(row), row)
    return list(rows.values())


async def fetch_range(
    fetch: Fetch[Row], start: datetime, end: datetime, *, cap: Cap, key: Callable[[Row], Hashable]
) -> list[Row]:
    """Fetch [start, end) in as few requests as the cap allows, side by side, shorter ones when Calendly refuses.

    Args:
        fetch: Fetches the rows of one range.
        start: The first instant.
        end: The instant after the last.
        cap: What is known of Calendly's limit; it learns.
        key: What makes two rows the same one, since a row may lie across a cut.

    Raises:
        CalendlyError: One of the requests failed; the others are cancelled.
        ValueError: As `split`.
    """
    while True:
        days = cap.days
        try:
            parts = [partial(fetch, first, last) for first, last in split(start, end, days)]
            return merge(await side_by_side(parts), key)
        except InvalidArgument as refusal:
            if not (_speaks_of_the_range(refusal) and cap.lower(days)):
                raise


def _speaks_of_the_range(refusal: InvalidArgument) -> bool:
    texts = [refusal.message or "", *(detail.get("message", "") for detail in refusal.details)]
    return any(_ABOUT_THE_RANGE.search(text) for text in texts)
