"""The database goes away, comes back, stays silent, or has a full disk: one clear error, in time, and nothing lost."""

import asyncio
import socket
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
from sqlalchemy import Column, Integer, MetaData, Table, bindparam, event, insert, select, text

from storage.database import Database, open_database
from storage.errors import StorageUnavailable
from storage.lookups import Lookup
from tests.ports import kept_port
from tests.postgresql import Server
from tests.storage.processes import process
from tests.storage.proxy import wire_to

NOTE = Table("note", MetaData(), Column("id", Integer, primary_key=True))
FIRST = Lookup(select(NOTE.c.id).where(NOTE.c.id == bindparam("id")))
PROMISED = 10
"""Seconds within which a request that cannot be stored is answered."""


async def write(database: Database, number: int) -> None:
    async with database.begin() as connection:
        await connection.execute(insert(NOTE).values(id=number))


async def numbers(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(select(NOTE.c.id).order_by(NOTE.c.id))).scalars())


async def unavailable(database: Database) -> None:
    """Neither reading nor writing works, and both say so within the promised time."""
    start = anyio.current_time()
    faults = await asyncio.gather(write(database, 99), numbers(database), return_exceptions=True)
    assert [type(fault) for fault in faults] == [StorageUnavailable] * 2
    assert anyio.current_time() - start < PROMISED


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with kept_port() as port:
        async with open_database(f"postgresql://somebody:hunter2@127.0.0.1:{port}/nothing") as database:
            await unavailable(database)
            with pytest.raises(StorageUnavailable) as caught:
                await write(database, 1)
            assert "hunter2" not in str(caught.value)


@pytest.mark.requirement("storage-503")
async def test_a_server_that_never_answers_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"postgresql://somebody@127.0.0.1:{listener.getsockname()[1]}/nothing"
        async with open_database(url, patience=0.3) as database:
            await unavailable(database)


async def test_a_server_that_goes_away_and_comes_back_is_found_again(
    postgresql_server: Server, postgresql_url: str
) -> None:
    async with open_database(postgresql_url) as database:
        async with database.begin() as connection:
            await connection.run_sync(NOTE.create)
        await write(database, 1)
        assert await numbers(database) == [1]
        await anyio.to_thread.run_sync(postgresql_server.stop)
        try:
            await unavailable(database)
        finally:
            await anyio.to_thread.run_sync(postgresql_server.start)
        await write(database, 2)
        assert await numbers(database) == [1, 2]


async def test_a_server_that_restarts_between_two_requests_is_not_noticed(
    postgresql_server: Server, postgresql_url: str
) -> None:
    async with open_database(postgresql_url) as database:
        async with database.begin() as connection:
            await connection.run_sync(NOTE.create)
        assert await numbers(database) == []
        await anyio.to_thread.run_sync(postgresql_server.stop)
        await anyio.to_thread.run_sync(postgresql_server.start)
        await write(database, 1)
        assert await numbers(database) == [1]


async def test_a_network_that_dies_is_noticed_in_time(postgresql_server: Server, postgresql_url: str) -> None:
    async with wire_to(postgresql_server.port) as wire:
        url = postgresql_url.replace(str(postgresql_server.port), str(wire.port))
        async with open_database(url, patience=2) as database:
            async with database.begin() as connection:
                await connection.run_sync(NOTE.create)
            await write(database, 1)
            wire.silent = True
            await unavailable(database)
            wire.silent = False
            await write(database, 2)
            assert await numbers(database) == [1, 2]


async def test_a_network_that_dies_does_not_keep_a_process_from_ending(
    postgresql_server: Server, postgresql_url: str
) -> None:
    async with wire_to(postgresql_server.port) as wire:
        async with open_database(postgresql_url.replace(str(postgresql_server.port), str(wire.port))) as database:
            async with database.begin() as connection:
                await connection.run_sync(NOTE.create)
            assert await numbers(database) == []
            wire.silent = True
            start = anyio.current_time()
        assert anyio.current_time() - start < PROMISED


async def test_a_statement_that_takes_too_long_is_ended_on_the_server_too(postgresql_url: str) -> None:
    async with open_database(postgresql_url) as database:

        async def dawdle() -> None:
            async with database.begin(patience=0.3) as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))

        with pytest.raises(StorageUnavailable):
            await dawdle()
        running = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(60)'"
        with anyio.fail_after(PROMISED):
            async with database.read() as connection:
                while (await connection.execute(text(running))).scalar_one():
                    await anyio.lowlevel.checkpoint()


async def test_a_migration_may_take_longer_than_a_request(postgresql_url: str) -> None:
    async with open_database(postgresql_url, patience=0.5) as database, database.begin(patience=20) as connection:
        await connection.execute(text("SELECT pg_sleep(0.7)"))


@pytest.mark.parametrize(
    "change",
    [
        ("/postgres?", "/nowhere?"),
        ("tests@", "nobody-known@"),
        ("postgres?", "postgres?sslmode=require&"),
        ("postgres?", "postgres?sslmode=nonsense&"),
        ("postgres?", "postgres?nonsense=1&"),
    ],
)
async def test_a_server_that_turns_us_away_is_unavailable(postgresql_url: str, change: tuple[str, str]) -> None:
    async with open_database(postgresql_url.replace(*change)) as database:
        await unavailable(database)


async def test_a_row_that_another_transaction_holds_is_unavailable_after_a_while(postgresql_url: str) -> None:
    async with open_database(postgresql_url) as database:
        async with database.begin() as connection:
            await connection.run_sync(NOTE.create)
        await write(database, 1)
        async with database.begin() as holder:
            await holder.execute(NOTE.update().values(id=2))
            with pytest.raises(StorageUnavailable):
                async with database.begin(patience=0.5) as connection:
                    await connection.execute(NOTE.update().values(id=3))
        assert await numbers(database) == [2]


async def test_a_disk_that_takes_no_more_is_unavailable_and_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "here.sqlite3"
    # The limit on the size of a file is the nearest to a full disk that needs no rights.
    lines = """
    import resource
    from storage.errors import StorageUnavailable
    NOTE = Table("note", MetaData(), Column("id", Integer, primary_key=True), Column("text", Text))
    async with open_database(*arguments) as database:
        async with database.begin() as connection:
            await connection.run_sync(NOTE.create)
            await connection.execute(insert(NOTE).values(id=1, text="kept"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
        try:
            async with database.begin() as connection:
                await connection.execute(insert(NOTE).values(id=2, text="x" * 1_000_000))
        except StorageUnavailable as error:
            tell("unavailable:", error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        async with database.begin() as connection:
            await connection.execute(insert(NOTE).values(id=3, text="after"))
        tell("written")
    """
    with process(lines, f"sqlite:///{path}") as other:
        assert other.hear().startswith("unavailable:")
        assert other.hear() == "written"
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id, text FROM note").fetchall() == [(1, "kept"), (3, "after")]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


async def test_a_file_that_was_removed_or_replaced_takes_nothing_that_would_be_lost(tmp_path: Path) -> None:
    path = tmp_path / "a #file.sqlite3"
    async with open_database(f"sqlite:///{path}") as database:
        async with database.begin() as connection:
            await connection.run_sync(NOTE.create)
        await write(database, 1)
        path.rename(away := tmp_path / "away.sqlite3")
        await unavailable(database)
        assert not path.exists()
        path.touch()
        await unavailable(database)
        with pytest.raises(StorageUnavailable, match="removed or replaced"):
            await database.find(FIRST, id="1")
        away.replace(path)
        await write(database, 2)
        assert await numbers(database) == [1, 2]
        assert await database.find(FIRST, id="1") == {"id": 1}


async def test_a_commit_that_the_disk_ends_late_is_told_as_what_it_is(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path / 'here.sqlite3'}", patience=0.2) as database:
        async with database.begin() as connection:
            await connection.run_sync(NOTE.create)
        disk = threading.Event()

        def stand_still(_: object) -> None:
            disk.wait(PROMISED)

        event.listen(database.engines.writers.engine, "commit", stand_still)
        late = asyncio.create_task(write(database, 1))
        await asyncio.sleep(0)
        with pytest.raises(StorageUnavailable, match="did not answer in time"):
            await write(database, 2)  # it began later: the patience of the first is over too
        disk.set()
        await late
        assert await numbers(database) == [1]
        disk.clear()
        stopped = asyncio.create_task(write(database, 3))
        await asyncio.sleep(0)
        stopped.cancel()
        disk.set()
        with pytest.raises(asyncio.CancelledError):
            await stopped
        assert await numbers(database) == [1, 3]
