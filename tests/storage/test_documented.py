"""docs/storage.md names every stored field: how it is kept, and for how long."""

import re
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Connection, LargeBinary, inspect

from storage.database import Database
from tests.cases import each

PAGE = Path(__file__).parents[2] / "docs" / "storage.md"
ROW = re.compile(r"\| `(\w+)` \| `(\w+)` \| (.*?) \| (.*?) \|")


class Field(NamedTuple):
    """One row of the page."""

    table: str
    column: str
    kept: str
    lifetime: str


DOCUMENTED = [Field(*match) for match in ROW.findall(PAGE.read_text())]


def columns(connection: Connection) -> dict[tuple[str, str], bool]:
    """Find every column of the database, and whether it is of bytes."""
    inspector = inspect(connection)
    return {
        (table, column["name"]): isinstance(column["type"], LargeBinary)
        for table in inspector.get_table_names()
        if table != "alembic_version"
        for column in inspector.get_columns(table)
    }


async def test_every_stored_field_is_documented_once_and_nothing_else(database: Database) -> None:
    async with database.read() as connection:
        stored = await connection.run_sync(columns)
    assert sorted((field.table, field.column) for field in DOCUMENTED) == sorted(stored)


async def test_exactly_the_sealed_bytes_are_called_encrypted(database: Database) -> None:
    async with database.read() as connection:
        stored = await connection.run_sync(columns)
    encrypted = {(field.table, field.column) for field in DOCUMENTED if field.kept == "encrypted"}
    assert encrypted == {place for place, is_bytes in stored.items() if is_bytes}


def test_exactly_the_digests_are_called_hashed() -> None:
    hashed = {(field.table, field.column) for field in DOCUMENTED if field.kept == "hashed"}
    assert hashed == {(field.table, field.column) for field in DOCUMENTED if field.column.endswith("digest")}


@each("field", DOCUMENTED)
def test_a_field_says_how_it_is_kept_and_for_how_long(field: Field) -> None:
    assert field.kept in {"hashed", "encrypted", "plain"}
    assert field.lifetime.strip()
