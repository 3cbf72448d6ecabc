"""Counts bookings in the database, so that a limit a day holds on whichever replica; see `daily_limits`."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from auth.access.daily_limit_rows import count, look, uncount
from auth.access.daily_limits import Full, Taken
from calendly.errors import Unreachable
from storage.database import Database
from storage.errors import StorageUnavailable

_UNCOUNTED: Final = "The booking could not be counted, so nothing was sent."


@dataclass(frozen=True, slots=True)
class SharedDailyLimits:
    """The counts of all replicas; an agent is the id of its grant.

    Args:
        database: Where they are.
        now: The wall clock.
    """

    database: Database
    now: Callable[[], datetime]

    async def look(self, agent: str, limit: int) -> Taken | Full:
        """Return what `take` would. Raises Unreachable."""
        try:
            async with self.database.read() as connection:
                return await look(connection, agent, limit, self.now())
        except StorageUnavailable:
            raise Unreachable(_UNCOUNTED) from None

    async def take(self, agent: str, limit: int) -> Taken | Full:
        """Count one more. Raises Unreachable."""
        try:
            async with self.database.begin() as connection:
                return await count(connection, agent, limit, self.now())
        except StorageUnavailable:
            raise Unreachable(_UNCOUNTED) from None

    async def give_back(self, agent: str, instant: datetime) -> None:
        """Take one back. Where that cannot be stored, one booking less is possible for a day."""
        with suppress(StorageUnavailable):
            async with self.database.begin() as connection:
                await uncount(connection, agent, instant, self.now())
