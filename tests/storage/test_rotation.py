"""After a rotation only the first key is needed, whatever happened in between."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, MetaData, Table, Text, insert, select, update

from storage.database import Database, open_database
from storage.errors import KeyRingError, UnreadableSecret
from storage.keys import KEY_BYTES, Key, KeyRing, sealing_key
from storage.rotation import rotate
from storage.schema import migrate
from storage.types import Sealed
from storage.unlock import unlock
from tests.storage.processes import process

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OLD, NEW = Key("old", b"o" * KEY_BYTES), Key("new", b"n" * KEY_BYTES)
BEFORE, ROTATING, AFTER = KeyRing([OLD]), KeyRing([NEW, OLD]), KeyRing([NEW])

METADATA = MetaData()
VAULT = Table(
    "vault",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("one", Sealed),
    Column("two", Sealed),
    Column("x", Text),
)
PLAIN = Table("plain", METADATA, Column("a", Text, primary_key=True), Column("b", Text, primary_key=True))


def seal(ring: KeyRing, row: str, column: str) -> bytes:
    return ring.seal(f"{row}.{column}".encode(), table="vault", row=row, column=column)


async def fill(database: Database, rows: int) -> None:
    """Start under the old key, and store rows of which every third has nothing in its second column."""
    await migrate(database)
    await unlock(database, str(OLD), now=NOW)
    async with database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        for number in range(rows):
            row = f"row {number}"
            two = seal(BEFORE, row, "two") if number % 3 else None
            await connection.execute(insert(VAULT).values(id=row, one=seal(BEFORE, row, "one"), two=two, x="plain"))


async def stored(database: Database) -> dict[tuple[str, str], bytes]:
    """Read every sealed value by row and column."""
    async with database.read() as connection:
        rows = (await connection.execute(select(VAULT.c.id, VAULT.c.one, VAULT.c.two))).all()
    values = {(row.id, column): getattr(row, column) for row in rows for column in ("one", "two")}
    return {place: value for place, value in values.items() if value is not None}


async def everything_opens(database: Database, ring: KeyRing) -> bool:
    return all(
        ring.open(value, table="vault", row=row, column=column) == f"{row}.{column}".encode()
        for (row, column), value in (await stored(database)).items()
    )


@pytest.mark.parametrize("batch", [1, 7, 100])
async def test_after_a_rotation_the_old_key_may_go(database: Database, batch: int) -> None:
    await fill(database, 21)
    await unlock(database, f"{NEW},{OLD}", now=NOW)
    assert await rotate(database, ROTATING, METADATA.tables.values(), batch=batch) == 21 + 14
    assert await everything_opens(database, AFTER)
    await unlock(database, str(NEW), now=NOW)
    with pytest.raises(KeyRingError):
        await unlock(database, str(OLD), now=NOW)


async def test_a_second_rotation_changes_nothing(database: Database) -> None:
    await fill(database, 5)
    await rotate(database, ROTATING, METADATA.tables.values())
    once = await stored(database)
    assert await rotate(database, ROTATING, METADATA.tables.values()) == 0
    assert await stored(database) == once


async def test_a_value_that_does_not_open_stops_the_rotation_and_keeps_the_old_key_wanted(database: Database) -> None:
    await fill(database, 5)
    await unlock(database, f"{NEW},{OLD}", now=NOW)
    async with database.begin() as connection:
        moved = select(VAULT.c.one).where(VAULT.c.id == "row 1").scalar_subquery()
        await connection.execute(update(VAULT).where(VAULT.c.id == "row 3").values(one=moved))
    with pytest.raises(UnreadableSecret, match=r"vault\.one"):
        await rotate(database, ROTATING, METADATA.tables.values())
    with pytest.raises(KeyRingError):
        await unlock(database, str(NEW), now=NOW)


async def test_a_rotation_killed_half_way_is_finished_by_the_next(shared_database_url: str) -> None:
    lines = """
    from tests.storage.test_rotation import METADATA, NEW, OLD
    nonces = 0

    def random(size):
        nonlocal nonces
        nonces += 1
        if nonces == 12:
            tell("half way")
            wait()
        return nonces.to_bytes(size, "big")

    async with open_database(*arguments) as database:
        await rotate(database, KeyRing([NEW, OLD], random=random), METADATA.tables.values(), batch=2)
    """
    async with open_database(shared_database_url) as database:
        await fill(database, 21)
        await unlock(database, f"{NEW},{OLD}", now=NOW)
        with process(lines, shared_database_url) as other:
            assert other.hear() == "half way"
            other.kill()
        assert {sealing_key(value) for value in (await stored(database)).values()} == {"old", "new"}
        assert await everything_opens(database, ROTATING)
        with pytest.raises(KeyRingError):
            await unlock(database, str(NEW), now=NOW)
        left = await rotate(database, ROTATING, METADATA.tables.values())
        assert 0 < left < 35
        assert await everything_opens(database, AFTER)
        await unlock(database, str(NEW), now=NOW)


async def test_what_is_written_while_a_rotation_runs_is_not_lost(shared_database_url: str) -> None:
    lines = """
    from tests.storage.test_rotation import METADATA, NEW, OLD
    async with open_database(*arguments) as database:
        tell("ready")
        wait()
        await rotate(database, KeyRing([NEW, OLD]), METADATA.tables.values(), batch=1)
        tell("done")
    """
    async with open_database(shared_database_url) as database:
        await fill(database, 30)
        with process(lines, shared_database_url) as other:
            assert other.hear() == "ready"
            other.go_on()
            for number in range(30):
                row = f"row {number}"
                fresh = ROTATING.seal(f"{row}.one, fresh".encode(), table="vault", row=row, column="one")
                async with database.begin() as connection:
                    await connection.execute(update(VAULT).where(VAULT.c.id == row).values(one=fresh))
            assert other.hear() == "done"
        for (row, column), value in (await stored(database)).items():
            opened = AFTER.open(value, table="vault", row=row, column=column).decode()
            assert opened == (f"{row}.one, fresh" if column == "one" else f"{row}.two")
