"""Rows go when their time is over, and no others."""

from datetime import UTC, datetime, timedelta

import anyio
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, select

from storage.database import Database
from storage.retention import purge
from storage.types import Instant

NOW = datetime(2026, 12, 1, tzinfo=UTC)
METADATA = MetaData()
CODE = Table("code", METADATA, Column("id", Integer, primary_key=True), Column("expires_at", Instant))
WINDOW = Table(
    "window",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("starts_at", Instant, primary_key=True),
    Column("ends_at", Instant),
)


async def fill(database: Database) -> None:
    """Store codes that end from twelve minutes ago to twelve minutes from now, and one that never ends."""
    async with database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        minutes = [*range(-12, 13)]
        ends = [{"id": 100 + minute, "expires_at": NOW + timedelta(minutes=minute)} for minute in minutes]
        await connection.execute(insert(CODE), [*ends, {"id": 999, "expires_at": None}])


async def codes(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(select(CODE.c.id).order_by(CODE.c.id))).scalars())


@pytest.mark.parametrize("batch", [1, 5, 13, 500])
async def test_what_is_over_is_deleted_in_batches_and_the_rest_stays(database: Database, batch: int) -> None:
    await fill(database)
    assert await purge(database, [CODE.c.expires_at], now=NOW, batch=batch) == 13
    assert await codes(database) == [*range(101, 113), 999]
    assert await purge(database, [CODE.c.expires_at], now=NOW, batch=batch) == 0


async def test_a_table_with_a_key_of_two_columns_is_purged_row_by_row(database: Database) -> None:
    await fill(database)
    hour = timedelta(hours=1)
    rows = [
        {"key": key, "starts_at": NOW + start * hour, "ends_at": NOW + (start + 1) * hour}
        for key in ("one", "two")
        for start in (-2, -1, 0)
    ]
    async with database.begin() as connection:
        await connection.execute(insert(WINDOW), rows)
    assert await purge(database, [WINDOW.c.ends_at, CODE.c.expires_at], now=NOW, batch=3) == 4 + 13
    async with database.read() as connection:
        left = (await connection.execute(select(WINDOW.c.key, WINDOW.c.starts_at).order_by(WINDOW.c.key))).all()
    assert [tuple(row) for row in left] == [("one", NOW), ("two", NOW)]


async def test_two_that_purge_at_once_delete_every_row_once(database: Database) -> None:
    await fill(database)
    deleted: list[int] = []

    async def one() -> None:
        deleted.append(await purge(database, [CODE.c.expires_at], now=NOW, batch=2))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(one)
    assert sum(deleted) == 13
    assert await codes(database) == [*range(101, 113), 999]
