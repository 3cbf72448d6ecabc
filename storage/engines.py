"""The engines of a database: their settings, and which of their failures mean "unavailable".

A database has two pools. Readers commit each statement at once and may not write, which saves a
read two round trips; writers hold transactions.
"""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import uuid4

import anyio.to_thread
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlalchemy.util import greenlet_spawn

from storage import sqlite
from storage.connection import Driver, GreenletDriver, SQLiteDriver
from storage.errors import DatabaseUrlError, StorageUnavailable
from storage.lookups import Finder, SQLiteFinder
from storage.sqlite import DatabaseFile

READERS: Final = 2
WRITERS: Final = 4
RECYCLE_SECONDS: Final = 300
"""How long a PostgreSQL connection is pooled. A proxy may drop an idle one without a word."""

FAREWELL: Final = 0.5
"""How long closing one connection may take, in seconds."""

TIMEOUTS: Final = ("statement_timeout", "idle_in_transaction_session_timeout")
"""The settings, in milliseconds, by which PostgreSQL ends what this process has given up."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Connections of one kind.

    Attributes:
        engine: SQLAlchemy's, with as many connections as there are turns.
        turns: What a task waits for before it asks for a connection, in order.
    """

    engine: Engine
    turns: asyncio.Semaphore


@dataclass(frozen=True, slots=True)
class Engines:
    """The two pools of one database.

    Attributes:
        readers: Connections that only read.
        writers: Connections that hold transactions.
        driver: How what they do is waited for.
        file: The SQLite file.
        memory: Keeps a database in memory alive while no pooled connection is open.
    """

    readers: Pool
    writers: Pool
    driver: Driver
    file: DatabaseFile | None = None
    memory: sqlite3.Connection | None = None

    async def close(self) -> None:
        """Close every connection."""
        for pool in (self.readers, self.writers):
            await _dispose(pool.engine)
        self.driver.stop()
        if self.memory:
            self.memory.close()


async def _dispose(engine: Engine) -> None:
    """Close the pooled connections. One whose server does not answer the farewell in time is cut."""
    done = False
    while not done:
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await greenlet_spawn(engine.dispose)
                done = True


async def open_engines(url: str, patience: float) -> Engines:
    """Open the engines of a database URL. Raises DatabaseUrlError and StorageUnavailable."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise DatabaseUrlError("The database URL cannot be read.") from None
    if parsed.drivername == "postgresql":
        return _postgresql(url, patience)
    if parsed.drivername != "sqlite" or parsed.host or parsed.query or parsed.database in {"", ":memory:"}:
        raise DatabaseUrlError("A database URL is sqlite:///PATH, sqlite:// (in memory) or postgresql://….")
    if not parsed.database:
        return _sqlite_memory()
    try:
        file = await anyio.to_thread.run_sync(sqlite.make_file, parsed.database, patience)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StorageUnavailable(f"The database {parsed.database} cannot be opened for writing: {error}.") from error
    return _sqlite_file(file)


def _sqlite_file(file: DatabaseFile) -> Engines:
    connect = partial(sqlite.open_file, file)
    engines = Engines(
        Pool(sqlite.reading(connect, READERS), asyncio.Semaphore(READERS)),
        Pool(sqlite.writing(connect), asyncio.Semaphore(1)),
        SQLiteDriver(ThreadPoolExecutor(1, "commit")),
        file=file,
    )
    for pool in (engines.readers, engines.writers):
        event.listen(pool.engine, "checkout", lambda *_: file.check())
    return engines


def _sqlite_memory() -> Engines:
    connect = partial(sqlite.open_memory, uuid4().hex)
    turn = asyncio.Semaphore(1)  # there readers and a writer cannot work side by side
    return Engines(
        Pool(sqlite.reading(connect, 1), turn), Pool(sqlite.writing(connect), turn), SQLiteDriver(), memory=connect()
    )


def _postgresql(dsn: str, patience: float) -> Engines:
    def pool(size: int, *, read_only: bool) -> Pool:
        engine = create_engine(
            "postgresql+asyncpg://",
            connect_args={**_postgresql_session(dsn, patience, read_only=read_only), "timeout": patience},
            pool_size=size,
            max_overflow=0,
            pool_recycle=RECYCLE_SECONDS,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT" if read_only else "READ COMMITTED",
            skip_autocommit_rollback=read_only,
        )
        event.listen(engine, "checkout", _refuse_closed)
        return Pool(engine, asyncio.Semaphore(size))

    return Engines(pool(READERS, read_only=True), pool(WRITERS, read_only=False), GreenletDriver())


def _postgresql_session(dsn: str, patience: float, *, read_only: bool) -> dict[str, Any]:
    """Return how asyncpg connects. It reads the address as libpq would, `sslmode` and several hosts included."""
    settings = {
        "application_name": "calendly-mcp",
        "default_transaction_read_only": "on" if read_only else "off",
        **dict.fromkeys(TIMEOUTS, str(round(patience * 1000))),
    }
    return {"dsn": dsn, "server_settings": settings}


async def open_finder(url: str, engines: Engines, patience: float) -> Finder | None:
    """Open the short way to look up a row; None in memory, where a reader waits for its turn."""
    dialect = engines.readers.engine.dialect
    if engines.file is not None:
        return SQLiteFinder.open(engines.file, dialect)
    if engines.memory is not None:
        return None
    from storage.postgresql_lookups import PostgreSQLFinder  # noqa: PLC0415 - its driver takes memory

    session = _postgresql_session(url, patience, read_only=True)
    return await PostgreSQLFinder.open(session, dialect, connections=READERS, patience=patience)


def _refuse_closed(connection: DBAPIConnection, _: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    """Make the pool reconnect when the server has closed a connection. Sends nothing: the driver knows."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


POSTGRESQL_UNAVAILABLE: Final = (
    "08",  # connection
    "25006",  # read only: a standby
    "40",  # rolled back: deadlock, serialization
    "53",  # out of disk, memory or connections
    "55",  # locked
    "57",  # statement timeout, shutdown, starting up
    "58",  # system error
    "XX",  # internal error
)


def is_unavailable(error: Exception) -> bool:
    """Say whether the database, not the statement, is to blame."""
    if isinstance(error, OSError | NoFreeConnection):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in sqlite.UNAVAILABLE
    state = getattr(cause, "sqlstate", None)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or (isinstance(state, str) and state.startswith(POSTGRESQL_UNAVAILABLE))
