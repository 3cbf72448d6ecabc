"""Nothing is served before the key ring has opened what is stored."""

import asyncio
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select, update

from storage.database import Database, open_database
from storage.errors import KeyRingError
from storage.keys import KEY_BYTES, Key, KeyRing
from storage.schema import migrate
from storage.tables import key_fingerprint
from storage.unlock import unlock
from tests.databases import open_migrated

NOW = datetime(2026, 12, 1, tzinfo=UTC)
OLD, NEW = Key("old", b"o" * KEY_BYTES), Key("new", b"n" * KEY_BYTES)
PLACE = {"table": "connection", "row": "1", "column": "token"}


async def fingerprints(database: Database) -> set[str]:
    async with database.read() as connection:
        return set((await connection.execute(select(key_fingerprint.c.key_id))).scalars())


async def test_the_same_ring_starts_again_and_opens_what_it_sealed(database: Database) -> None:
    sealed = (await unlock(database, str(OLD), now=NOW)).seal(b"secret", **PLACE)
    assert (await unlock(database, f"{OLD}\n", now=NOW)).open(sealed, **PLACE) == b"secret"
    assert await fingerprints(database) == {"old"}


@pytest.mark.requirement("key-ring-start")
async def test_a_ring_without_a_key_in_use_does_not_start(database: Database) -> None:
    await unlock(database, str(OLD), now=NOW)
    with pytest.raises(KeyRingError, match="old"):
        await unlock(database, str(NEW), now=NOW)
    assert await fingerprints(database) == {"old"}, "the key that was refused must leave no trace"


@pytest.mark.requirement("key-ring-start")
async def test_another_key_of_the_same_name_does_not_start(database: Database) -> None:
    await unlock(database, str(OLD), now=NOW)
    with pytest.raises(KeyRingError, match="is not the one") as caught:
        await unlock(database, str(Key("old", NEW.secret)), now=NOW)
    assert str(NEW).partition(":")[2] not in str(caught.value)


async def test_a_new_key_may_stand_before_and_after_the_one_in_use(database: Database) -> None:
    await unlock(database, str(OLD), now=NOW)
    await unlock(database, f"{OLD},{NEW}", now=NOW)
    assert await fingerprints(database) == {"old"}
    await unlock(database, f"{NEW},{OLD}", now=NOW)
    assert await fingerprints(database) == {"old", "new"}


async def test_a_fingerprint_that_was_changed_does_not_start(database: Database) -> None:
    await unlock(database, str(OLD), now=NOW)
    async with database.begin() as connection:
        await connection.execute(update(key_fingerprint).values(proof=b"\x01\x03old" + bytes(40)))
    with pytest.raises(KeyRingError):
        await unlock(database, str(OLD), now=NOW)


async def test_of_two_that_start_together_with_different_keys_of_one_name_one_does_not(database: Database) -> None:
    outcomes = await asyncio.gather(
        unlock(database, str(OLD), now=NOW),
        unlock(database, str(Key("old", NEW.secret)), now=NOW),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["KeyRing", "KeyRingError"]


@pytest.mark.requirement("key-ring-start")
async def test_a_malformed_ring_does_not_start(database: Database) -> None:
    with pytest.raises(KeyRingError):
        await unlock(database, "", now=NOW)


@pytest.mark.requirement("key-ring-start", "secret-keys-postgresql")
async def test_on_postgresql_a_missing_ring_does_not_start(postgresql_url: str) -> None:
    async with open_migrated(postgresql_url) as database:
        with pytest.raises(KeyRingError, match="CALENDLY_MCP_SECRET_KEYS"):
            await unlock(database, None, now=NOW)


async def test_in_memory_a_ring_is_made_that_ends_with_it() -> None:
    async with open_migrated() as database:
        ring = await unlock(database, None, now=NOW)
    assert ring.open(ring.seal(b"secret", **PLACE), **PLACE) == b"secret"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "calendly.sqlite3"


async def start(path: Path, keys: str | None = None) -> KeyRing:
    async with open_database(f"sqlite:///{path}") as database:
        await migrate(database)
        return await unlock(database, keys, now=NOW)


def key_file(path: Path) -> Path:
    return path.with_name("calendly.sqlite3.keys")


@pytest.mark.requirement("secret-keys-file")
async def test_beside_a_file_a_key_file_is_made_once_for_its_owner_only(path: Path) -> None:
    sealed = (await start(path)).seal(b"secret", **PLACE)
    assert stat.S_IMODE(key_file(path).stat().st_mode) == 0o600
    assert (await start(path)).open(sealed, **PLACE) == b"secret"
    assert sorted(file.name for file in path.parent.iterdir()) == ["calendly.sqlite3", "calendly.sqlite3.keys"]


@pytest.mark.requirement("key-ring-start")
async def test_a_key_file_that_is_lost_is_not_made_anew(path: Path) -> None:
    await start(path)
    key_file(path).unlink()
    with pytest.raises(KeyRingError, match="missing"):
        await start(path)
    assert not key_file(path).exists()


async def test_a_key_file_that_others_may_read_does_not_start(path: Path) -> None:
    await start(path)
    key_file(path).chmod(0o640)
    with pytest.raises(KeyRingError, match="chmod 600"):
        await start(path)


async def test_a_process_that_died_over_the_key_file_leaves_the_next_one_free(path: Path) -> None:
    path.parent.mkdir()
    key_file(path).with_name(f"{key_file(path).name}.new").write_text("hal")
    ring = await start(path)
    assert (await start(path)).open(ring.seal(b"secret", **PLACE), **PLACE) == b"secret"


async def test_the_keys_of_the_file_may_move_to_the_configuration(path: Path) -> None:
    sealed = (await start(path)).seal(b"secret", **PLACE)
    keys = key_file(path).read_text()
    key_file(path).unlink()
    assert (await start(path, keys)).open(sealed, **PLACE) == b"secret"
    assert not key_file(path).exists()
