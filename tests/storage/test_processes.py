"""Several processes on one database, and one of them killed."""

from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Column, Integer, MetaData, Table, insert, select

from storage.database import Database, open_database
from tests.storage.processes import process

COUNTER = Table("counter", MetaData(), Column("id", Integer, primary_key=True), Column("count", Integer))
DECLARED = 'COUNTER = Table("counter", MetaData(), Column("id", Integer, primary_key=True), Column("count", Integer))\n'


async def count(database: Database) -> int:
    async with database.read() as connection:
        return int((await connection.execute(select(COUNTER.c.count))).scalar_one())


async def prepare(database: Database) -> None:
    async with database.begin() as connection:
        await connection.run_sync(COUNTER.create)
        await connection.execute(insert(COUNTER).values(id=1, count=0))


async def test_of_processes_that_read_and_then_write_none_loses_another_ones_count(shared_database_url: str) -> None:
    lines = f"""
    {DECLARED}
    async with open_database(*arguments) as database:
        tell("ready")
        wait()
        for _ in range(25):
            async with database.begin() as connection:
                before = (await connection.execute(select(COUNTER.c.count).with_for_update())).scalar_one()
                await connection.execute(update(COUNTER).values(count=before + 1))
        tell("done")
    """
    async with open_database(shared_database_url) as database:
        await prepare(database)
        with ExitStack() as stack:
            processes = [stack.enter_context(process(lines, shared_database_url)) for _ in range(3)]
            assert [each.hear() for each in processes] == ["ready"] * 3
            for each in processes:
                each.go_on()
            assert [each.hear() for each in processes] == ["done"] * 3
        assert await count(database) == 75


async def test_a_process_killed_inside_a_transaction_leaves_no_trace_and_no_lock(shared_database_url: str) -> None:
    lines = f"""
    {DECLARED}
    async with open_database(*arguments) as database, database.begin() as connection:
        await connection.execute(update(COUNTER).values(count=99))
        tell("inside")
        wait()
    """
    async with open_database(shared_database_url) as database:
        await prepare(database)
        with process(lines, shared_database_url) as other:
            assert other.hear() == "inside"
            other.kill()
        assert await count(database) == 0
        async with database.begin() as connection:
            await connection.execute(COUNTER.update().values(count=1))
        assert await count(database) == 1


async def test_what_a_process_committed_before_it_was_killed_is_there(shared_database_url: str) -> None:
    lines = f"""
    {DECLARED}
    async with open_database(*arguments) as database:
        async with database.begin() as connection:
            await connection.execute(update(COUNTER).values(count=1))
        tell("committed")
        wait()
    """
    async with open_database(shared_database_url) as database:
        await prepare(database)
        with process(lines, shared_database_url) as other:
            assert other.hear() == "committed"
            other.kill()
        assert await count(database) == 1


async def test_processes_that_start_together_migrate_once(shared_database_url: str) -> None:
    lines = """
    async with open_database(*arguments) as database:
        tell("ready")
        wait()
        await migrate(database)
        tell("migrated")
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(process(lines, shared_database_url)) for _ in range(4)]
        assert [each.hear() for each in processes] == ["ready"] * 4
        for each in processes:
            each.go_on()
        assert [each.hear() for each in processes] == ["migrated"] * 4


async def test_processes_that_find_no_file_make_one_database_and_one_key(tmp_path: Path) -> None:
    urls = [f"sqlite:///{tmp_path / str(number) / 'database.sqlite3'}" for number in range(8)]
    lines = """
    for url in arguments:
        tell("ready")
        wait()
        async with open_database(url) as database:
            await migrate(database)
            tell((await unlock(database, None, now=NOW)).first)
    """
    with ExitStack() as stack:
        processes = [stack.enter_context(process(lines, *urls)) for _ in range(4)]
        for _ in urls:
            assert [each.hear() for each in processes] == ["ready"] * 4
            for each in processes:
                each.go_on()
            keys = [each.hear() for each in processes]
            assert keys == [keys[0] or "a key"] * 4
