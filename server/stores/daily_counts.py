"""Counts bookings against a limit a day, exactly for any number of calls and replicas: the row of an agent is held."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update

from auth.access.daily_limits import PERIOD, Full, Taken, give_back, take
from auth.tables import booking_count as table
from server.stores.faults import best_effort, required
from server.stores.proof import digest
from storage.connection import DatabaseConnection
from storage.database import Database, insert
from storage.retention import drop_over

_UNCOUNTED: Final = "The booking could not be counted"


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyCounts:
    """Who has booked how often within 24 hours.

    Attributes:
        database: Where the counts are.
        now: The wall clock.
        by_grant: An agent is the id of its grant, with which its count ends.
    """

    database: Database
    now: Callable[[], datetime]
    by_grant: bool

    async def look(self, person: str, agent: str, limit: int) -> Taken | Full:
        """Return what `take` would, and count nothing. Raises Unreachable."""
        query = select(table.c.counted).where(table.c.digest == _row(person, agent))
        async with required(_UNCOUNTED), self.database.read() as connection:
            counted: Sequence[datetime] | None = await connection.scalar(query)
        return take(counted or (), limit, self.now())

    async def take(self, person: str, agent: str, limit: int) -> Taken | Full:
        """Count one more booking of an agent, unless it has had as many as it may. Raises Unreachable."""
        async with required(_UNCOUNTED), self.database.begin() as connection:
            decision = take(await self._hold(connection, person, agent), limit, self.now())
            if isinstance(decision, Taken):
                await self._write(connection, person, agent, decision.counted)
        return decision

    async def give_back(self, person: str, agent: str, instant: datetime) -> None:
        """Take back what was counted at an instant: nothing was booked. Where that fails, it counts for a day."""
        async with best_effort("a booking that was not made still counts"), self.database.begin() as connection:
            counted = give_back(await self._hold(connection, person, agent), instant)
            await self._write(connection, person, agent, counted)

    async def _hold(self, connection: DatabaseConnection, person: str, agent: str) -> Sequence[datetime]:
        """Read the count of an agent, which nobody else changes until the transaction ends."""
        row, grant = _row(person, agent), agent if self.by_grant else None
        await drop_over(connection, table.c.expires_at, self.now())
        empty = insert(connection, table).values(digest=row, grant=grant, counted=(), expires_at=self.now() + PERIOD)
        await connection.execute(empty.on_conflict_do_nothing())
        held = select(table.c.counted).where(table.c.digest == row).with_for_update()
        counted: Sequence[datetime] = (await connection.execute(held)).scalar_one()
        return counted

    async def _write(
        self, connection: DatabaseConnection, person: str, agent: str, counted: Sequence[datetime]
    ) -> None:
        changed = update(table).where(table.c.digest == _row(person, agent))
        await connection.execute(changed.values(counted=counted, expires_at=self.now() + PERIOD))


def _row(person: str, agent: str) -> str:
    return digest(person, agent).hex()
