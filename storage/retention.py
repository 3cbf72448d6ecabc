"""Deletes expired rows. Each package says by which columns its rows expire."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Column, delete, select, tuple_

from storage.connection import DatabaseConnection
from storage.database import Database

BATCH: Final = 500
"""Rows in one transaction, which other writers wait for."""


async def purge(database: Database, ends: Iterable[Column[datetime]], *, now: datetime, batch: int = BATCH) -> int:
    """Delete the rows in which one of these `Instant` columns is at or before `now`. A null does not expire.

    Returns how many rows were deleted. Raises StorageUnavailable; earlier batches stay deleted.
    """
    total = 0
    for end in ends:
        deleted = batch
        while deleted == batch:
            async with database.begin() as connection:
                deleted = await drop_over(connection, end, now, batch)
            total += deleted
    return total


async def drop_over(connection: DatabaseConnection, end: Column[datetime], now: datetime, batch: int = BATCH) -> int:
    """Delete at most one batch of rows in which `end` is at or before `now`, and return how many."""
    key = end.table.primary_key.columns
    # Rows that another process is deleting are skipped, so two of them neither wait nor deadlock.
    over = select(*key).where(end <= now).limit(batch).with_for_update(skip_locked=True)
    rows = (await connection.execute(over)).all()
    if rows:
        await connection.execute(delete(end.table).where(tuple_(*key).in_(rows)))
    return len(rows)
