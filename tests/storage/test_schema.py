"""The revisions lead to what the packages' tables say, once, all or nothing."""

import json
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select, text
from sqlalchemy.exc import DBAPIError

from storage.database import Database, open_database
from storage.errors import SchemaError
from storage.schema import MIGRATIONS, migrate

ROOT = Path(__file__).parents[2]
DECLARED: list[MetaData] = [
    import_module(f"{path.parent.name}.tables").metadata for path in sorted(ROOT.glob("*/tables.py"))
]
VERSION = Table("alembic_version", MetaData(), Column("version_num", Text))


def described(found: Iterable[object]) -> list[str]:
    return sorted(json.dumps(each, default=str, sort_keys=True) for each in found)


def schema(connection: Connection) -> dict[str, dict[str, list[str]]]:
    """Describe every table as the database knows it."""
    inspector = inspect(connection)
    return {
        name: {
            "columns": described(inspector.get_columns(name)),
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "references": described(inspector.get_foreign_keys(name)),
            "indexes": described(inspector.get_indexes(name)),
            "unique": described(inspector.get_unique_constraints(name)),
            "checks": described(inspector.get_check_constraints(name)),
        }
        for name in inspector.get_table_names()
        if name != VERSION.name
    }


async def test_the_revisions_make_the_tables_that_the_packages_declare(database_url: str) -> None:
    async with open_database(database_url) as database:
        await migrate(database)
        async with database.begin() as connection:
            migrated = await connection.run_sync(schema)
            for metadata in DECLARED:
                await connection.run_sync(metadata.drop_all)
                await connection.run_sync(metadata.create_all)
            assert migrated == await connection.run_sync(schema)
    assert set(migrated) == {name for metadata in DECLARED for name in metadata.tables}


def test_the_revisions_stand_in_one_line() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    revisions = list(script.walk_revisions())
    assert script.get_heads() == [max(revision.revision for revision in revisions)]
    assert all(not revision.is_merge_point for revision in revisions)
    assert all(Path(revision.path).name.startswith(f"v{revision.revision}_") for revision in revisions)


async def test_migrating_again_changes_nothing(database: Database) -> None:
    async with database.read() as connection:
        before = await connection.run_sync(schema)
    await migrate(database)
    async with database.read() as connection:
        assert await connection.run_sync(schema) == before


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(VERSION.update().values(version_num="9999"))
    with pytest.raises(SchemaError, match="newer"):
        await migrate(database)
    async with database.read() as connection:
        assert (await connection.execute(select(VERSION))).scalars().all() == ["9999"]


async def test_a_migration_that_fails_leaves_nothing_behind(database_url: str) -> None:
    async with open_database(database_url) as database:
        async with database.begin() as connection:
            await connection.execute(text("CREATE TABLE client (obstacle INTEGER)"))
        with pytest.raises(DBAPIError, match="client"):
            await migrate(database)
        async with database.begin() as connection:
            assert set(await connection.run_sync(schema)) == {"client"}
            await connection.execute(text("DROP TABLE client"))
        await migrate(database)
