"""The databases of the tests: `database` runs a test on each kind we support."""

import sqlite3
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing
from functools import cache
from operator import methodcaller
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import Connection

from storage.database import Database, open_database
from storage.schema import migrate
from tests.migrating import EXECUTED
from tests.postgresql import Server, running_server

FILE: Final = "SQLite file"
MEMORY: Final = "SQLite memory"
POSTGRESQL: Final = pytest.param("PostgreSQL", marks=pytest.mark.needs("postgresql"))

_PATIENCE: Final = 60.0
"""Seconds for a transaction: what has to succeed does so on a busy machine too."""

OTHER_URLS = (
    "",
    "nonsense",
    "mysql://root:hunter2@127.0.0.1/x",
    "sqlite+aiosqlite:///x",
    "postgresql+asyncpg://u:hunter2@h/d",
    "postgresql://u:hunter2@h:port/d",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite:///x?mode=memory",
    "sqlite://host/x",
)
"""What names no database that can be opened."""


@pytest.fixture(scope="session")
def postgresql_server() -> Generator[Server]:
    """One PostgreSQL server for the whole run."""
    with running_server() as server:
        yield server


def new_url(request: pytest.FixtureRequest) -> str:
    """Return the address of an empty database of the kind that is the parameter of a fixture."""
    if request.param == FILE:
        return f"sqlite:///{Path(request.getfixturevalue('tmp_path'), 'database.sqlite3')}"
    if request.param == MEMORY:
        return "sqlite://"
    server: Server = request.getfixturevalue("postgresql_server")
    return server.new_database()


@pytest.fixture(params=[FILE, MEMORY, POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of an empty database, of each kind in turn."""
    return new_url(request)


@pytest.fixture(params=[FILE, POSTGRESQL])
def shared_database_url(request: pytest.FixtureRequest) -> str:
    """The same, of the kinds that several processes can share."""
    return new_url(request)


@pytest.fixture(params=[POSTGRESQL])
def postgresql_url(request: pytest.FixtureRequest) -> str:
    """The same, on PostgreSQL alone."""
    return new_url(request)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A migrated database without rows, of each kind in turn."""
    async with open_migrated(database_url) as opened:
        yield opened


@asynccontextmanager
async def open_migrated(url: str = "sqlite://", *, patience: float = _PATIENCE) -> AsyncGenerator[Database]:
    """Open an empty database and bring it up to date, in one go where the statements are known."""
    async with open_database(url, patience=patience) as database:
        dialect = database.engines.writers.engine.dialect.name
        if dialect in EXECUTED:
            await _execute(database, _script(dialect))
        else:
            await migrate(database)
        yield database


def empty(database: Database) -> None:
    """Make a migrated database in memory as it was when it was opened."""
    assert database.engines.memory is not None
    _migrated().backup(database.engines.memory)


@cache
def _migrated() -> sqlite3.Connection:
    """Make a database without rows, to be copied."""
    made = sqlite3.connect(":memory:")
    made.executescript(_script("sqlite"))
    return made


def _script(dialect: str) -> str:
    return ";".join(["BEGIN", *EXECUTED[dialect], "COMMIT"])


async def _execute(database: Database, statements: str) -> None:
    """Execute many statements in one go, as the drivers can and SQLAlchemy cannot."""
    if database.engines.memory is not None:
        empty(database)
    elif database.engines.file is not None:
        with closing(sqlite3.connect(database.engines.file.path)) as file:
            file.executescript(statements)
    else:
        async with database.begin() as connection:
            await connection.run_sync(_execute_in_postgresql, statements)


def _execute_in_postgresql(connection: Connection, statements: str) -> None:
    driver: Any = connection.connection.dbapi_connection
    driver.run_async(methodcaller("execute", statements))
