"""The databases of the tests: `database` runs a test on each kind we support."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import create_engine
from typing_extensions import override

from storage import engines, sqlite
from storage.database import Database, open_database
from storage.schema import migrate
from tests.migrating import EXECUTED, migrated, repeat
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
        if dialect not in EXECUTED:
            await migrate(database)
        elif database.engines.memory is not None:
            empty(database)
        else:
            async with database.begin() as connection:
                await connection.run_sync(repeat)
        yield database


def empty(database: Database) -> None:
    """Make a migrated database in memory as it was when it was opened."""
    assert database.engines.memory is not None
    migrated().backup(database.engines.memory)


class _Compiled(dict[Any, Any]):
    """What SQLAlchemy compiled for engines of one kind; its keys begin with the dialect, of which each has its own."""

    @override
    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    @override
    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


@pytest.fixture(scope="session", autouse=True)
def compiling_once() -> Generator[None]:
    """Compile each statement once in a process instead of once for each database that a test opens."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (engines, sqlite):
            options = {"compiled_cache": _Compiled()}
            patch.setattr(module, "create_engine", partial(create_engine, execution_options=options))
        yield
