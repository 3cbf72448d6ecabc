"""What a transaction promises, on every kind of database."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text, delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.database import Database, open_database
from storage.database import insert as upsert
from storage.errors import DatabaseUrlError, StorageUnavailable
from storage.scoped_tasks import ScopedTasks
from tests.databases import OTHER_URLS

METADATA = MetaData()
NOTE = Table("note", METADATA, Column("id", Integer, primary_key=True), Column("text", Text), Column("count", Integer))
REPLY = Table(
    "reply", METADATA, Column("id", Integer, primary_key=True), Column("note_id", Integer, ForeignKey("note.id"))
)


@pytest.fixture
async def notes(database: Database) -> Database:
    """A database with two tables of the test's own, and the note 1."""
    async with database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(insert(NOTE).values(id=1, text="first", count=0))
    return database


async def texts(database: Database) -> list[str]:
    async with database.read() as connection:
        return list((await connection.execute(select(NOTE.c.text).order_by(NOTE.c.id))).scalars())


async def test_what_a_transaction_wrote_is_there_after_it(notes: Database) -> None:
    async with notes.begin() as connection:
        await connection.execute(insert(NOTE).values(id=2, text="second"))
    assert await texts(notes) == ["first", "second"]


async def test_an_exception_leaves_nothing_of_its_transaction(notes: Database) -> None:
    async def change_and_fail() -> None:
        async with notes.begin() as connection:
            await connection.execute(update(NOTE).values(text="changed"))
            raise LookupError

    with pytest.raises(LookupError):
        await change_and_fail()
    assert await texts(notes) == ["first"]


async def test_a_task_that_is_stopped_ends_after_its_transaction_and_does_nothing_more(notes: Database) -> None:
    begun, released, beyond = asyncio.Event(), asyncio.Event(), list[str]()

    async def work() -> None:
        async with notes.begin() as connection:
            await connection.execute(update(NOTE).values(text="changed"))
            begun.set()
            await released.wait()
        await asyncio.sleep(0)
        beyond.append("more")

    tasks = ScopedTasks()
    tasks.begin(work())
    await begun.wait()
    tasks.stop()
    assert len(await tasks.late(0.0)) == 1
    released.set()
    assert await tasks.late() == set()
    assert (await texts(notes), beyond) == (["changed"], [])


async def test_reading_cannot_write(notes: Database) -> None:
    with pytest.raises(StorageUnavailable):
        async with notes.read() as connection:
            await connection.execute(update(NOTE).values(text="changed"))
    assert await texts(notes) == ["first"]


async def test_a_reference_to_nothing_is_refused(notes: Database) -> None:
    with pytest.raises(IntegrityError):
        async with notes.begin() as connection:
            await connection.execute(insert(REPLY).values(id=1, note_id=99))


async def test_of_tasks_that_read_and_then_write_none_loses_another_ones_count(notes: Database) -> None:
    async def count() -> None:
        async with notes.begin() as connection:
            before = (await connection.execute(select(NOTE.c.count).with_for_update())).scalar_one()
            await connection.execute(update(NOTE).values(count=before + 1))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(count)
    async with notes.read() as connection:
        assert (await connection.execute(select(NOTE.c.count))).scalar_one() == 20


async def test_of_tasks_that_update_on_a_condition_one_wins(notes: Database) -> None:
    won: list[int] = []

    async def claim(number: int) -> None:
        async with notes.begin() as connection:
            claimed = update(NOTE).where(NOTE.c.count == 0).values(count=number).returning(NOTE.c.id)
            if (await connection.execute(claimed)).first():
                won.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(1, 11):
            tasks.start_soon(claim, number)
    assert len(won) == 1


async def test_an_insert_can_leave_or_replace_what_is_there(notes: Database) -> None:
    async with notes.begin() as connection:
        row = upsert(connection, NOTE).values(id=1, text="other")
        await connection.execute(row.on_conflict_do_nothing())
        assert (await connection.execute(select(NOTE.c.text))).scalars().all() == ["first"]
        await connection.execute(row.on_conflict_do_update(index_elements=["id"], set_={"text": row.excluded.text}))
    assert await texts(notes) == ["other"]


async def test_a_transaction_is_finished_though_its_client_went_away(notes: Database) -> None:
    with anyio.CancelScope() as request:
        async with notes.begin() as connection:
            request.cancel()
            await connection.execute(insert(NOTE).values(id=2, text="second"))
    assert await texts(notes) == ["first", "second"]


async def test_a_task_killed_inside_leaves_no_trace_and_no_lock(notes: Database) -> None:
    inside = asyncio.Event()

    async def write() -> None:
        async with notes.begin() as connection:
            await connection.execute(insert(NOTE).values(id=2, text="second"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with notes.begin() as connection:
        await connection.execute(insert(NOTE).values(id=2, text="another"))
    assert await texts(notes) == ["first", "another"]


@pytest.mark.requirement("storage-503")
async def test_a_transaction_that_never_ends_is_ended(notes: Database) -> None:
    async def never_end() -> None:
        async with notes.begin(patience=0.2) as connection:
            await connection.execute(insert(NOTE).values(id=2, text="second"))
            await asyncio.Event().wait()

    with pytest.raises(StorageUnavailable):
        await never_end()
    assert await texts(notes) == ["first"]


@pytest.mark.requirement("storage-503")
async def test_a_writer_that_waits_too_long_for_its_turn_gives_up(notes: Database) -> None:
    entered, done = asyncio.Event(), asyncio.Event()

    async def occupy() -> None:
        async with notes.begin() as connection:
            await connection.execute(update(NOTE).values(text="changed"))
            entered.set()
            await done.wait()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(occupy)
        await entered.wait()
        with pytest.raises(StorageUnavailable):
            async with notes.begin(patience=0.2) as connection:
                await connection.execute(update(NOTE).values(text="too late"))
        done.set()
    assert await texts(notes) == ["changed"]


async def test_a_mistake_in_a_statement_is_not_called_unavailable(notes: Database) -> None:
    for open_connection in (notes.begin, notes.read):
        with pytest.raises(DBAPIError, match="nowhere"):
            async with open_connection() as connection:
                await connection.execute(text("SELECT * FROM nowhere"))


async def test_an_error_says_nothing_of_the_values(notes: Database) -> None:
    with pytest.raises(IntegrityError) as caught:
        async with notes.begin() as connection:
            await connection.execute(insert(NOTE).values(id=1, text="a secret"))
    assert "a secret" not in str(caught.value)


async def test_every_commit_to_a_file_is_synced_to_the_disk(tmp_path: Path) -> None:
    async with open_database(f"sqlite:///{tmp_path / 'here.sqlite3'}") as database, database.begin() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar_one() == 2
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"


async def test_what_was_deleted_is_not_left_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "here.sqlite3"
    async with open_database(f"sqlite:///{path}") as database:
        async with database.begin() as connection:
            await connection.run_sync(METADATA.create_all)
            await connection.execute(insert(NOTE).values(id=1, text="jane@example.com"))
        async with database.begin() as connection:
            await connection.execute(delete(NOTE))
    assert {name: b"jane@" in content for name, content in contents(tmp_path).items()} == {"here.sqlite3": False}


async def test_two_databases_in_memory_share_nothing() -> None:
    async with open_database("sqlite://") as one, open_database("sqlite://") as other:
        async with one.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        with pytest.raises(DBAPIError, match="no such table"):
            await texts(other)


async def test_a_file_and_its_folder_are_made_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "made" / "here.sqlite3"
    async with open_database(f"sqlite:///{path}") as database:
        async with database.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert files == {"here.sqlite3": 0o600, "here.sqlite3-wal": 0o600, "here.sqlite3-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_a_file_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "here.sqlite3"
    path.touch(0o644)
    async with open_database(f"sqlite:///{path}"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


async def test_what_was_written_is_there_when_the_database_is_opened_again(shared_database_url: str) -> None:
    async with open_database(shared_database_url) as database, database.begin() as connection:
        await connection.run_sync(METADATA.create_all)
        await connection.execute(insert(NOTE).values(id=1, text="first"))
    async with open_database(shared_database_url) as database:
        assert await texts(database) == ["first"]


@pytest.mark.parametrize("url", OTHER_URLS)
async def test_another_kind_of_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        async with open_database(url):
            pass
    assert "hunter2" not in str(caught.value)


async def test_readers_see_the_state_before_while_a_writer_is_at_work(shared_database_url: str) -> None:
    async with open_database(shared_database_url) as database:
        async with database.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        async with database.begin() as connection:
            await connection.execute(insert(NOTE).values(id=1, text="first"))
            assert await texts(database) == []
        assert await texts(database) == ["first"]


async def test_a_locked_file_is_waited_for_and_then_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "here.sqlite3"
    async with open_database(f"sqlite:///{path}") as database:
        async with database.begin() as connection:
            await connection.run_sync(METADATA.create_all)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match=r"locked|did not answer in time"):
                async with database.begin(patience=0.3):
                    pass
            assert await texts(database) == []
            other.execute("COMMIT")
        async with database.begin() as connection:
            await connection.execute(insert(NOTE).values(id=1, text="first"))
        assert await texts(database) == ["first"]


async def test_a_file_that_another_program_reads_all_the_while_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "here.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE note (id INTEGER)")
        other.execute("BEGIN")
        other.execute("SELECT * FROM note").fetchall()
        with pytest.raises(StorageUnavailable, match="locked"):
            async with open_database(f"sqlite:///{path}", patience=0.2):
                pass


async def test_a_full_database_is_unavailable_and_keeps_what_it_has(notes: Database) -> None:
    async with notes.begin() as connection:
        if connection.dialect.name == "postgresql":
            # PostgreSQL's own words when its disk is full: no test can fill the disk of a server.
            fill = "DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
        else:
            await connection.execute(text("PRAGMA max_page_count = 1"))
            fill = "INSERT INTO note (id, text) VALUES (2, zeroblob(1000000))"
    with pytest.raises(StorageUnavailable, match=r"full|extend"):
        async with notes.begin() as connection:
            await connection.execute(text(fill))
    assert await texts(notes) == ["first"]


@pytest.mark.parametrize("name", ["here.sqlite3", "\0"])
async def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    obstacle = tmp_path / "a file, not a folder"
    obstacle.touch()
    with pytest.raises(StorageUnavailable, match="a file, not a folder"):
        async with open_database(f"sqlite:///{obstacle / name}"):
            pass


async def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Calendly, " * 100)
    with pytest.raises(StorageUnavailable, match="not a database"):
        async with open_database(f"sqlite:///{path}"):
            pass
    assert path.read_text().startswith("Dear Calendly")


async def test_many_readers_and_writers_at_once_all_get_their_turn(notes: Database) -> None:
    async def write(number: int) -> None:
        async with notes.begin() as connection:
            await connection.execute(insert(NOTE).values(id=number, text="x"))

    async with anyio.create_task_group() as tasks:
        for number in range(2, 52):
            tasks.start_soon(write, number)
            tasks.start_soon(texts, notes)
    async with notes.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(NOTE))).scalar_one() == 51
