"""Seals stored secrets anew under the first key of the ring, so that the other keys can be removed.

A value names the key it needs. So a rotation that was interrupted is started again and goes on, and
a finished one does nothing.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Column, Table, delete, select, update

from storage.database import Database
from storage.keys import KeyRing, sealing_key
from storage.tables import key_fingerprint
from storage.types import Sealed

BATCH: Final = 100
"""Rows in one transaction, which other writers wait for."""


async def rotate(database: Database, ring: KeyRing, tables: Iterable[Table], *, batch: int = BATCH) -> int:
    """Seal every `Sealed` column of `tables` under the first key, and forget the other keys.

    `ring` is what `unlock` returned. Every process must have it: none may seal under another key
    any more. Returns how many values were sealed anew. Raises UnreadableSecret, without changing
    that batch, and StorageUnavailable.
    """
    places = {table: _sealed(table) for table in tables}
    total = 0
    # A value that was written under another key during the walk is found by the next one.
    while renewed := sum(
        [await _walk(database, ring, table, places[table], batch) for table in places if places[table]]
    ):
        total += renewed
    async with database.begin() as connection:
        await connection.execute(delete(key_fingerprint).where(key_fingerprint.c.key_id != ring.first))
    return total


def _sealed(table: Table) -> list[Column[bytes]]:
    return [column for column in table.columns if isinstance(column.type, Sealed)]


async def _walk(database: Database, ring: KeyRing, table: Table, columns: Sequence[Column[bytes]], batch: int) -> int:
    """Go through a table once, in the order of its primary key."""
    (key,) = table.primary_key.columns
    page = select(key, *columns).order_by(key).limit(batch).with_for_update()
    renewed = 0
    following = page
    while True:
        async with database.begin() as connection:
            rows = (await connection.execute(following)).all()
            for row, *values in rows:
                fresh = {
                    column.name: _renew(ring, value, table=table.name, row=row, column=column.name)
                    for column, value in zip(columns, values, strict=True)
                    if value is not None and sealing_key(value) != ring.first
                }
                if fresh:
                    await connection.execute(update(table).where(key == row).values(fresh))
                renewed += len(fresh)
        if len(rows) < batch:
            return renewed
        following = page.where(key > rows[-1][0])


def _renew(ring: KeyRing, sealed: bytes, *, table: str, row: str, column: str) -> bytes:
    opened = ring.open(sealed, table=table, row=row, column=column)
    return ring.seal(opened, table=table, row=row, column=column)
