"""So many bookings a day, counted in the database, which replicas share."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select, text

from auth.access.daily_limits import Full, Taken
from auth.tables import booking_count, client, grant, user
from calendly.errors import Unreachable
from server.stores.daily_counts import DailyCounts
from storage.database import Database, open_database
from storage.schema import MIGRATIONS, migrate
from storage.types import to_microseconds
from tests.databases import open_migrated

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)


async def let_in(database: Database) -> None:
    """Have a person let in an agent with the grant `G1`."""
    async with database.begin() as connection:
        await connection.execute(user.insert().values(uri="U1", created_at=NOW))
        await connection.execute(
            client.insert().values(
                id="C1",
                kind="registered",
                redirect_uris=[],
                auth_method="none",
                refreshes=False,
                created_at=NOW,
                used_at=NOW,
            )
        )
        made = {"id": "G1", "person": "U1", "client": "C1", "resource": "https://mcp.example/mcp"}
        await connection.execute(grant.insert().values(**made, scopes=frozenset(), access={}, created_at=NOW))


async def test_replicas_count_together(database: Database) -> None:
    await let_in(database)
    replicas = [DailyCounts(database=database, now=lambda: NOW, by_grant=True) for _ in range(2)]
    outcomes: list[Taken | Full] = []

    async def book(number: int) -> None:
        outcomes.append(await replicas[number % 2].take("U1", "G1", 3))

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(book, number)
    assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 3
    assert await replicas[0].look("U1", "G1", 3) == Full(NOW + timedelta(hours=24))
    await replicas[1].give_back("U1", "G1", NOW)
    assert isinstance(await replicas[0].look("U1", "G1", 3), Taken)
    assert isinstance(await replicas[0].take("U1", "G1", 3), Taken)
    assert isinstance(await replicas[1].take("U1", "G1", 3), Full)


async def test_a_booking_that_cannot_be_counted_is_not_sent(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'database'}"
    async with open_migrated(url) as database, open_database(url, patience=0.2) as impatient:
        await let_in(database)
        counts = DailyCounts(database=database, now=lambda: NOW, by_grant=True)
        taken = await counts.take("U1", "G1", 1)
        limits = replace(counts, database=impatient)
        with closing(sqlite3.connect(tmp_path / "database", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unreachable, match="nothing was sent"):
                await limits.take("U1", "G1", 2)
            assert isinstance(taken, Taken)
            await limits.give_back("U1", "G1", NOW)
        assert isinstance(await counts.look("U1", "G1", 1), Full)


async def test_a_database_that_cannot_be_read_says_that_nothing_was_sent(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path / 'not migrated'}") as database:
        async with database.begin() as connection:
            await connection.run_sync(lambda _: None)
        (tmp_path / "not migrated").write_bytes(b"no database " * 1000)
        with pytest.raises(Unreachable, match="nothing was sent"):
            await DailyCounts(database=database, now=lambda: NOW, by_grant=True).look("U1", "G1", 1)


async def test_each_agent_has_its_own_count_and_a_day_later_there_is_room_again(database: Database) -> None:
    times = [NOW]
    counts = DailyCounts(database=database, now=lambda: times[0], by_grant=False)
    assert await counts.look("maya", "one", 1) == await counts.look("maya", "one", 1) == Taken((NOW,))
    assert await counts.take("maya", "one", 1) == Taken((NOW,))
    full = Full(NOW + timedelta(hours=24))
    assert await counts.take("maya", "one", 1) == await counts.look("maya", "one", 1) == full
    for person, agent in (("maya", "two"), ("tomas", "one")):
        assert isinstance(await counts.take(person, agent, 1), Taken)
    times[0] = NOW + timedelta(hours=24)
    assert isinstance(await counts.take("maya", "one", 1), Taken)
    await counts.give_back("maya", "one", times[0])
    assert isinstance(await counts.take("maya", "one", 1), Taken)


async def test_what_was_counted_before_bookings_were_counted_without_a_grant_still_counts(database_url: str) -> None:
    async with open_database(database_url) as database:
        async with database.begin() as connection:
            await connection.run_sync(upgrade_to, "0009")
        await let_in(database)
        row = {"grant": "G1", "counted": f"[{to_microseconds(NOW)}]", "over": to_microseconds(NOW + timedelta(days=1))}
        async with database.begin() as connection:
            await connection.execute(text("INSERT INTO booking_allowance VALUES (:grant, :counted, :over)"), row)
        await migrate(database)
        counts = DailyCounts(database=database, now=lambda: NOW, by_grant=True)
        assert await counts.look("U1", "G1", 1) == Full(NOW + timedelta(hours=24))
        assert isinstance(await counts.take("U1", "G1", 2), Taken)


def upgrade_to(connection: Connection, revision: str) -> None:
    """Apply the revisions as far as one."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_a_count_that_is_over_is_forgotten_when_another_is_written(database: Database) -> None:
    moment = NOW
    counts = DailyCounts(database=database, now=lambda: moment, by_grant=False)
    for agent in ("A1", "A2", "A3"):
        assert isinstance(await counts.take("U1", agent, 3), Taken)
    moment += timedelta(hours=24)
    assert isinstance(await counts.take("U1", "A4", 3), Taken)
    async with database.read() as connection:
        assert len((await connection.execute(select(booking_count))).all()) == 1
