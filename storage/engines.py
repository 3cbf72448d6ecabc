"""The engines of a database: their settings, and which of their failures mean "unavailable".

A database has two pools. Readers commit each statement at once and may not write, which saves a
read two round trips; writers hold transactions. On SQLite a process has one writer, so that its
tasks queue for it in order instead of polling for the file lock.
"""

import asyncio
import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import anyio.to_thread
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as NoFreeConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from storage.errors import DatabaseUrlError, StorageUnavailable
from storage.lookups import Finder, SQLiteFinder
from storage.memory import connecting, open_memory
from storage.private_files import make_private_folder

READERS: Final = 2
WRITERS: Final = 4
RECYCLE_SECONDS: Final = 300
"""How long a PostgreSQL connection is pooled. A proxy may drop an idle one without a word."""

FAREWELL: Final = 0.5
"""How long closing one connection may take, in seconds."""

BUSY_TIMEOUT: Final = "busy_timeout"
"""The execution option with the milliseconds that a SQLite writer waits for the lock."""

TIMEOUTS: Final = ("statement_timeout", "idle_in_transaction_session_timeout")
"""The settings, in milliseconds, by which PostgreSQL ends what this process has given up."""


@dataclass(frozen=True, slots=True)
class Engines:
    """The two pools of one database."""

    readers: AsyncEngine
    writers: AsyncEngine
    path: Path | None = None
    """The SQLite file."""
    memory: sqlite3.Connection | None = None
    """Keeps a database in memory alive while no pooled connection is open."""

    async def close(self) -> None:
        """Close every connection."""
        await _dispose(self.readers)
        await _dispose(self.writers)
        if self.memory:
            self.memory.close()


async def _dispose(engine: AsyncEngine) -> None:
    """Close the pooled connections. One whose server does not answer the farewell in time is cut."""
    done = False
    while not done:
        with suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL):
                await engine.dispose()
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
        return await anyio.to_thread.run_sync(_sqlite_file, parsed.database, patience)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise StorageUnavailable(f"The database {parsed.database} cannot be opened for writing: {error}.") from error


def _sqlite_file(database: str, patience: float) -> Engines:
    path = Path(database).absolute()
    make_private_folder(path.parent, ours=path.name)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # also of a file that was there; SQLite gives the files beside it the same mode
    _use_wal(path, patience)
    return Engines(*_sqlite(path, patience), path=path)


def _use_wal(path: Path, patience: float) -> None:
    """Switch the file to a write-ahead log, so that readers and a writer work side by side.

    When several processes ask at once, SQLite refuses some to avoid a deadlock. Such a process
    takes a turn as a writer and tries again.
    """
    deadline = time.monotonic() + patience
    with closing(sqlite3.connect(path, timeout=patience, isolation_level=None)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("COMMIT")
            else:
                return


def _sqlite_memory() -> Engines:
    name = uuid4().hex
    memory = open_memory(name)
    url = URL.create("sqlite+aiosqlite")
    readers, writers = (_engine(url, async_creator=connecting(name)) for _ in range(2))
    return Engines(*_told(readers, writers), memory=memory)


def _sqlite(path: Path, patience: float) -> tuple[AsyncEngine, AsyncEngine]:
    url = URL.create("sqlite+aiosqlite", database=str(path))
    # isolation_level None: the driver begins nothing by itself.
    arguments = {"isolation_level": None, "timeout": patience}
    readers = _engine(
        url, connect_args=arguments, pool_size=READERS, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True
    )
    return _told(readers, _engine(url, connect_args=arguments))


def _engine(url: URL, *, pool_size: int = 1, **options: object) -> AsyncEngine:
    return create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=pool_size,
        max_overflow=0,
        hide_parameters=True,
        **options,
    )


def _told(readers: AsyncEngine, writers: AsyncEngine) -> tuple[AsyncEngine, AsyncEngine]:
    """Prepare each connection of the two SQLite engines."""
    event.listen(readers.sync_engine, "connect", _only_read)
    event.listen(writers.sync_engine, "connect", _write_safely)
    event.listen(writers.sync_engine, "begin", _begin_immediate)
    return readers, writers


def _only_read(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.cursor().execute("PRAGMA query_only = ON")


def _write_safely(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")  # some builds leave the last commits to a power cut
    cursor.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first could fail when it writes."""
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {connection.get_execution_options()[BUSY_TIMEOUT]}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(dsn: str, patience: float) -> Engines:
    def engine(*, read_only: bool) -> AsyncEngine:
        made = create_async_engine(
            "postgresql+asyncpg://",
            connect_args={**_postgresql_session(dsn, patience, read_only=read_only), "timeout": patience},
            pool_size=READERS if read_only else WRITERS,
            max_overflow=0,
            pool_recycle=RECYCLE_SECONDS,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT" if read_only else "READ COMMITTED",
            skip_autocommit_rollback=read_only,
        )
        event.listen(made.sync_engine, "checkout", _refuse_closed)
        return made

    return Engines(readers=engine(read_only=True), writers=engine(read_only=False))


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
    dialect = engines.readers.dialect
    if engines.path is not None:
        return SQLiteFinder.open(engines.path, dialect)
    if engines.memory is not None:
        return None
    from storage.postgresql_lookups import PostgreSQLFinder  # noqa: PLC0415 - its driver takes memory

    session = _postgresql_session(url, patience, read_only=True)
    return await PostgreSQLFinder.open(session, dialect, connections=READERS, patience=patience)


def _refuse_closed(connection: DBAPIConnection, _: ConnectionPoolEntry, __: PoolProxiedConnection) -> None:
    """Make the pool reconnect when the server has closed a connection. Sends nothing: the driver knows."""
    if connection.driver_connection.is_closed():
        raise InvalidatePoolError


SQLITE_UNAVAILABLE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)

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
        # The low byte is the primary code: sqlite.org/rescode.html
        return getattr(cause, "sqlite_errorcode", 0) & 0xFF in SQLITE_UNAVAILABLE
    state = getattr(cause, "sqlstate", None)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    return lost or (isinstance(state, str) and state.startswith(POSTGRESQL_UNAVAILABLE))
