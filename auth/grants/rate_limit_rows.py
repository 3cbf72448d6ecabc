"""The statements behind `auth.grants.rate_limits`: a limit holds across all processes that share the database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from auth.grants.rate_limits import PERIOD, Counted, RequestWindow, wait, window_start
from auth.protocol.errors import TooManyRequests
from auth.tables import rate_window as table
from storage.connection import DatabaseConnection
from storage.database import insert


async def check(
    connection: DatabaseConnection, counted: Counted, address: str, limits: Mapping[Counted, int], now: datetime
) -> None:
    """Raise TooManyRequests when one more request would be too many. Writes nothing, however often it is called."""
    window = await _window(connection, _key(counted, address), now)
    _refuse(wait(window, limits[counted], now))


async def take(
    connection: DatabaseConnection, counted: Counted, address: str, limits: Mapping[Counted, int], now: datetime
) -> None:
    """Count one more request. Raise TooManyRequests when it is too many, so that the transaction counts nothing.

    Counting first locks the row: of several requests at once, no more pass than there is room for.
    """
    await count(connection, counted, address, now)
    window = await _window(connection, _key(counted, address), now)
    _refuse(wait(replace(window, current=window.current - 1), limits[counted], now))


async def count(connection: DatabaseConnection, counted: Counted, address: str, now: datetime) -> None:
    """Count one more request."""
    statement = insert(connection, table).values(key=_key(counted, address), starts_at=window_start(now), count=1)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[table.c.key, table.c.starts_at], set_={"count": table.c.count + 1}
        )
    )


async def _window(connection: DatabaseConnection, key: str, now: datetime) -> RequestWindow:
    start = window_start(now)
    query = select(table.c.starts_at, table.c.count).where(
        table.c.key == key, table.c.starts_at.in_((start, start - PERIOD))
    )
    counts: dict[datetime, int] = {row[0]: row[1] for row in await connection.execute(query)}
    return RequestWindow(start, counts.get(start, 0), counts.get(start - PERIOD, 0))


def _refuse(seconds: int | None) -> None:
    if seconds is not None:
        raise TooManyRequests("Too many requests from this address.", retry_after=seconds)


def _key(counted: Counted, address: str) -> str:
    return f"{counted} {address}"
