"""Seals stored secrets anew under the first key of the ring, so that the other keys may go.

Which key a value needs is written in it, so a rotation that was cut off is continued by starting it again, and one
that finds nothing to do does nothing.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Column, Table, delete, select, update

from storage.database import Database
from storage.keys import KeyRing, sealing_key
from storage.tables import key_fingerprint
from storage.types import Sealed

BATCH = 100
"""Rows of one transaction: how long writers have to wait."""


async def rotate(database: Database, ring: KeyRing, tables: Iterable[Table], *, batch: int = BATCH) -> int:
    """Seal every `Sealed` column of `tables` under the first key, and forget that the other keys were in use.

    `ring` is what `unlock` gave. Every process must have it by now: none may still seal under another key.
    Returns how many values were sealed anew. Raises UnreadableSecret, having changed nothing of that batch, and
    StorageUnavailable.
    """
    places = {table: _sealed(table) for table in tables}
    total = 0
    # A value that was written under another key behind the walk's back is met by the next one.
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
