"""The statements behind `auth.access.daily_limits`: exact for any number of calls and replicas, since a row is held."""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.access.daily_limits import PERIOD, Full, Taken, give_back, take
from auth.tables import booking_allowance as table
from storage.database import insert

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


async def look(connection: AsyncConnection, grant_id: str, limit: int, now: datetime) -> Taken | Full:
    """Return what `count` would, and count nothing."""
    stored = await connection.scalar(select(table.c.counted).where(table.c.grant_id == grant_id))
    return take(_instants(stored or []), limit, now)


async def count(connection: AsyncConnection, grant_id: str, limit: int, now: datetime) -> Taken | Full:
    """Count one more booking of a grant, unless it has had as many as it may."""
    decision = take(await _hold(connection, grant_id, now), limit, now)
    if isinstance(decision, Taken):
        await _write(connection, grant_id, decision.counted, now)
    return decision


async def uncount(connection: AsyncConnection, grant_id: str, instant: datetime, now: datetime) -> None:
    """Take back the booking that was counted at an instant."""
    await _write(connection, grant_id, give_back(await _hold(connection, grant_id, now), instant), now)


async def _hold(connection: AsyncConnection, grant_id: str, now: datetime) -> list[datetime]:
    empty = insert(connection, table).values(grant_id=grant_id, counted=[], expires_at=now + PERIOD)
    await connection.execute(empty.on_conflict_do_nothing())
    held = select(table.c.counted).where(table.c.grant_id == grant_id).with_for_update()
    return _instants((await connection.execute(held)).scalar_one())


def _instants(stored: list[int]) -> list[datetime]:
    return [_EPOCH + instant * _MICROSECOND for instant in stored]


async def _write(connection: AsyncConnection, grant_id: str, counted: tuple[datetime, ...], now: datetime) -> None:
    instants = [(instant - _EPOCH) // _MICROSECOND for instant in counted]
    await connection.execute(
        update(table).where(table.c.grant_id == grant_id).values(counted=instants, expires_at=now + PERIOD)
    )
