"""This machine's clock beside Calendly's, which tells its own with every answer (RFC 9110, 6.6.1)."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

# A second of the header's, and what the way there and back takes.
_TOLERANCE: Final = 60.0

_log = logging.getLogger(__name__)


def seconds_ahead(date: str | None, now: datetime) -> float | None:
    """Return by how many seconds the machine is ahead of a Date header, None where that is none."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return (now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()


def complaint(seconds: float) -> str | None:
    """Say that the clock is off by so many seconds and what to do, None where it is not."""
    if abs(seconds) <= _TOLERANCE:
        return None
    way = "ahead of" if seconds > 0 else "behind"
    return (
        f"this machine's clock is {_span(abs(seconds))} {way} Calendly's: set it by the network, or coming times are "
        "taken for past ones, and sign-ins for expired ones"
    )


def watch(now: Callable[[], datetime]) -> Callable[[httpx2.Response], Awaitable[None]]:
    """Return what is told of every answer and warns, at the first one, of a clock that is off."""
    unheard = [True]

    async def hear(answer: httpx2.Response) -> None:
        if not unheard:
            return
        unheard.clear()
        seconds = seconds_ahead(answer.headers.get("date"), now())
        warning = None if seconds is None else complaint(seconds)
        if warning:
            _log.warning("%s", warning)

    return hear


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
