"""The databases of the tests: `database` runs a test on each kind we support."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from storage.database import Database, open_database
from storage.schema import migrate
from tests.postgresql import Server, running_server

FILE = "SQLite file"
MEMORY = "SQLite memory"
POSTGRESQL = pytest.param("PostgreSQL", marks=pytest.mark.needs("postgresql"))

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


def new_url(request: pytest.FixtureRequest) -> Generator[str]:
    """Yield the address of an empty database of the kind that is the parameter of a fixture."""
    if request.param == FILE:
        yield f"sqlite:///{Path(request.getfixturevalue('tmp_path'), 'database.sqlite3')}"
    elif request.param == MEMORY:
        yield "sqlite://"
    else:
        server: Server = request.getfixturevalue("postgresql_server")
        with server.new_database() as url:
            yield url


@pytest.fixture(params=[FILE, MEMORY, POSTGRESQL])
def database_url(request: pytest.FixtureRequest) -> Generator[str]:
    """The address of an empty database, of each kind in turn."""
    yield from new_url(request)


@pytest.fixture(params=[FILE, POSTGRESQL])
def shared_database_url(request: pytest.FixtureRequest) -> Generator[str]:
    """The same, of the kinds that several processes can share."""
    yield from new_url(request)


@pytest.fixture(params=[POSTGRESQL])
def postgresql_url(request: pytest.FixtureRequest) -> Generator[str]:
    """The same, on PostgreSQL alone."""
    yield from new_url(request)


@pytest.fixture
async def database(database_url: str) -> AsyncGenerator[Database]:
    """A migrated database without rows, of each kind in turn."""
    async with open_database(database_url) as opened:
        await migrate(opened)
        yield opened
