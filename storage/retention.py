"""Deletes rows whose time is over. Which columns end a row is for each package to say."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Column, delete, select, tuple_

from storage.database import Database

BATCH = 500
"""Rows of one transaction: how long writers have to wait."""


async def purge(database: Database, ends: Iterable[Column[datetime]], *, now: datetime, batch: int = BATCH) -> int:
    """Delete the rows in which one of these `Instant` columns is at or before `now`; a null never ends a row.

    Returns how many rows were deleted. Raises StorageUnavailable; the batches before it stay deleted.
    """
    return sum([await _purge_column(database, end, now, batch) for end in ends])


async def _purge_column(database: Database, end: Column[datetime], now: datetime, batch: int) -> int:
    key = end.table.primary_key.columns
    # What another process is deleting is left to it: two that purge at once neither wait nor deadlock.
    over = select(*key).where(end <= now).limit(batch).with_for_update(skip_locked=True)
    deleted = 0
    while True:
        async with database.begin() as connection:
            rows = (await connection.execute(over)).all()
            await connection.execute(delete(end.table).where(tuple_(*key).in_(rows)))
        deleted += len(rows)
        if len(rows) < batch:
            return deleted
