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
Window = tuple[datetime, datetime]
FetchRange = Callable[[datetime, datetime], Awaitable[Sequence[T]]]
StartOf = Callable[[T], datetime | None]

BUSY_TIMES_DAYS: Final = 7
"""The longest range of busy times (developer.calendly.com, "List user busy times")."""

AVAILABLE_TIMES_DAYS: Final = 31
"""The longest range of available times since 2026-07-09 (the same, "List event type available times")."""

# The limit of available times before, to which a refusal leads back. Some accounts still answer the
# first seven days of a longer range, without an error.
_CAUTIOUS_DAYS: Final = 7
_CAUTIOUS: Final = timedelta(days=_CAUTIOUS_DAYS)

_DAY: Final = timedelta(days=1)
_TICK: Final = timedelta(seconds=1)

_SURE: Final = _CAUTIOUS - _DAY
"""What even such an answer covers, where a day that has begun counts as a whole one."""

_ABOUT_THE_RANGE: Final = re.compile(r"\brange\b|\bdays?\b", re.IGNORECASE)


@dataclass(slots=True)
class Cap:
    """The longest range of one request, lowered when Calendly refuses it, or quietly answers less.

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


async def fetch_range(  # noqa: PLR0913 - a range, the cap of its parts, and how to read the rows
    fetch: FetchRange[T],
    start: datetime,
    end: datetime,
    *,
    cap: Cap,
    key: Callable[[T], Hashable],
    start_of: StartOf[T] | None = None,
) -> list[T]:
    """Fetch [start, end) in as few requests as the cap allows, all at once; shorter ones if Calendly refuses.

    Args:
        fetch: Fetches the rows of one range.
        start: The first instant.
        end: The instant after the last.
        cap: The longest range of one request; it is lowered here.
        key: Identifies a row, as one can be in two ranges.
        start_of: When a row begins, None where it does not say. With it, an answer whose last day
            lies before the end of the range is not trusted: the rest is asked for.

    Raises:
        CalendlyError: A request failed. The others are cancelled.
        ValueError: As `split`.
    """
    while True:
        days = cap.days
        windows = split(start, end, days)
        try:
            parts = await side_by_side([partial(fetch, *window) for window in windows])
            if start_of is not None:
                parts = await _completed(fetch, list(zip(windows, parts, strict=True)), cap, start_of)
            return merge(parts, key)
        except InvalidArgument as refusal:
            if not (_is_about_the_range(refusal) and cap.lower(days)):
                raise


async def _completed(
    fetch: FetchRange[T], parts: Sequence[tuple[Window, Sequence[T]]], cap: Cap, start_of: StartOf[T]
) -> list[Sequence[T]]:
    """Return the rows of all parts, each with the rest of its range that a short answer left out."""
    seen = max(_covered(window, rows, start_of) for window, rows in parts)
    return await side_by_side([partial(_whole, fetch, part, seen, cap, start_of) for part in parts])


async def _whole(
    fetch: FetchRange[T], part: tuple[Window, Sequence[T]], seen: timedelta, cap: Cap, start_of: StartOf[T]
) -> Sequence[T]:
    """Return the rows of one part, asking for the rest until the rows, or what an answer surely covers, reach its end.

    Args:
        fetch: Fetches the rows of one range.
        part: The range, and the rows that were answered.
        seen: The longest time that the rows of one answer spanned in this very fetch: each covers as much.
        cap: It is lowered when the rest has rows that the answer left out.
        start_of: When a row begins.
    """
    (first, last), rows = part
    whole = list(rows)
    covered = _covered((first, last), rows, start_of)
    while last - first > max(_CAUTIOUS, _DAY * (max(covered, seen).days + 1)):
        rest = first + max(covered + _TICK, seen, _SURE)
        rows = await fetch(rest, last)
        if rows:
            cap.days = min(cap.days, _CAUTIOUS_DAYS)
        whole += rows
        first, covered = rest, _covered((rest, last), rows, start_of)
        seen = max(seen, covered)
    return whole


def _covered(window: Window, rows: Sequence[T], start_of: StartOf[T]) -> timedelta:
    """Return the time from the start of a range to the last row in it."""
    first, last = window
    starts = [start for row in rows if (start := start_of(row)) is not None and first <= start < last]
    return max(starts, default=first) - first


def _is_about_the_range(refusal: InvalidArgument) -> bool:
    texts = [refusal.message or "", *(detail.get("message", "") for detail in refusal.details)]
    return any(_ABOUT_THE_RANGE.search(text) for text in texts)
