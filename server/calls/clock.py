"""This machine's clock beside Calendly's, which tells its own with every answer (RFC 9110, 6.6.1)."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2

# A second of the header's, and what the way there and back takes.
_TOLERANCE: Final = 60.0

_BY_CALENDLYS: Final = "This answer goes by Calendly's clock."
_BY_OURS: Final = "This answer goes by this machine's: call again for one by Calendly's."

_log: Final = logging.getLogger(__name__)


def seconds_ahead(date: str | None, now: datetime) -> float | None:
    """Return how many seconds the machine is ahead of a Date header, None if that is no date."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return (now - (theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC))).total_seconds()


def complaint(seconds: float) -> str | None:
    """Say how far the clock is off and what to do, None if it is right."""
    if abs(seconds) <= _TOLERANCE:
        return None
    way = "ahead of" if seconds > 0 else "behind"
    return (
        f"this machine's clock is {_span(abs(seconds))} {way} Calendly's: set it by the network, or coming times are "
        "taken for past ones, and sign-ins for expired ones"
    )


class ClockWatch:
    """Compares this machine's clock with Calendly's, and warns once of one that is off.

    Args:
        now: This machine's clock.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._warned = False
        self._ahead = 0.0

    @property
    def ahead(self) -> timedelta:
        """How far this machine was ahead at the last answer; zero if the answer's time on the network explains it."""
        return timedelta(seconds=self._ahead if complaint(self._ahead) else 0.0)

    async def hear(self, answer: httpx2.Response) -> None:
        """Read the time of an answer."""
        seconds = seconds_ahead(answer.headers.get("date"), self._now())
        self._ahead = self._ahead if seconds is None else seconds
        warning = complaint(self._ahead)
        if warning and not self._warned:
            self._warned = True
            _log.warning("%s", warning)


def _span(seconds: float) -> str:
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"


def told_of(ahead: timedelta, *, taken_back: timedelta | None) -> str | None:
    """Say in an answer that this machine's clock is off; None where it is not, or the answer does not depend on it.

    Args:
        ahead: By how much the clock is ahead of Calendly's.
        taken_back: By how much it was taken back for the answer, None where the answer does not depend on it.
    """
    warning = complaint(ahead.total_seconds())
    if warning is None or taken_back is None:
        return None
    is_right = complaint((ahead - taken_back).total_seconds()) is None
    return f"{warning}. {_BY_CALENDLYS if is_right else _BY_OURS}"
