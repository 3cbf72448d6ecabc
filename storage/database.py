"""Transactions on SQLite and PostgreSQL, with the same statements and a time limit for each."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import anyio
from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import SQLAlchemyError

from storage.connection import DatabaseConnection
from storage.engines import TIMEOUTS, Engines, Pool, is_unavailable, open_engines, open_finder
from storage.errors import StorageUnavailable
from storage.lookups import Fields, Finder, Lookup, LookUpFailed

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_READING: Final = "reading"
_WRITING: Final = "writing"

_log: Final = logging.getLogger(__name__)

PATIENCE: Final = 7.0
"""How long a transaction may take, in seconds, waiting included. Giving up may take 2 more."""


@dataclass(slots=True)
class Health:
    """Whether a database answers, told in the log when that changes.

    Attributes:
        is_told: Whether it is told at all; at a start, what fails ends the command with a line of its own.
    """

    is_told: bool = False
    _failing: set[str] = field(default_factory=set[str])

    @property
    def fails_to_write(self) -> bool:
        """Whether the last transaction failed."""
        return _WRITING in self._failing

    def fails(self, kind: str, fault: StorageUnavailable) -> None:
        """Note that connections of a kind, to read or to write, failed."""
        if self.is_told and not self._failing:
            _log.warning("%s", fault)
        self._failing.add(kind)

    def answers(self, kind: str) -> None:
        """Note that connections of a kind work."""
        if kind in self._failing:
            self._failing.remove(kind)
            if self.is_told and not self._failing:
                _log.warning("The database answers again.")


@dataclass(frozen=True, slots=True)
class Database:
    """An open database; made by `open_database`."""

    engines: Engines
    patience: float
    finder: Finder | None
    """The short way to look up a row, None where there is none."""
    health: Health = field(default_factory=Health)

    @asynccontextmanager
    async def begin(self, *, patience: float | None = None) -> AsyncGenerator[DatabaseConnection]:
        """Run one transaction: committed at the end, rolled back when an exception leaves it.

        A cancellation does not interrupt it, and it takes at most `patience` seconds (default: that
        of the database). Inside, wait for nothing else and begin no other transaction: there may be
        one writer only. Raises StorageUnavailable.
        """
        limit = self.patience if patience is None else patience
        async with self._connect(self.engines.writers, limit) as connection, _transaction(connection):
            if patience is not None and connection.dialect.name == "postgresql":
                for setting in TIMEOUTS:
                    await connection.execute(text(f"SET LOCAL {setting} = {round(limit * 1000)}"))
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[DatabaseConnection]:
        """Run statements that only read. Each sees what is committed when it starts.

        Raises StorageUnavailable, also for a statement that writes.
        """
        async with self._connect(self.engines.readers, self.patience) as connection:
            yield connection

    async def find(self, lookup: Lookup, **values: str) -> Fields | None:
        """Look up one row as it is committed now, by the shortest way there is. Raises StorageUnavailable.

        Args:
            lookup: The statement.
            values: What its parameters stand for.
        """
        if self.finder is not None:
            try:
                return await self.finder.find(lookup, values)
            except TimeoutError as error:
                raise self._fails(self.engines.readers, error) from error
            except LookUpFailed:
                pass  # `read` waits for what is locked, and says what is wrong
        async with self.read() as connection:
            return (await connection.execute(lookup.statement, values)).mappings().one_or_none()

    @asynccontextmanager
    async def _connect(self, pool: Pool, patience: float) -> AsyncGenerator[DatabaseConnection]:
        connected = False
        stops = _stops()
        try:
            # An interrupted connection would have to be thrown away, so a cancellation waits.
            with anyio.CancelScope(shield=True):
                async with asyncio.timeout(patience) as limit, pool.turns:
                    now = asyncio.get_running_loop().time()
                    # A little less, so that SQLite gives up first and says why.
                    until = now + max((limit.when() or now) - now, 0) * 0.9
                    async with self._checked_out(pool, until) as connection:
                        connected = True
                        yield connection
            self.health.answers(self._kind(pool))
            if _stops() > stops:
                raise asyncio.CancelledError
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            if connected and not is_unavailable(error):
                raise
            raise self._fails(pool, error) from error

    @asynccontextmanager
    async def _checked_out(self, pool: Pool, until: float) -> AsyncGenerator[DatabaseConnection]:
        driver = self.engines.driver
        blocking = await driver.run(until, pool.engine.connect)
        try:
            yield DatabaseConnection(blocking, driver, until)
        finally:
            await driver.close(blocking.close)

    def _fails(self, pool: Pool, error: Exception) -> StorageUnavailable:
        fault = StorageUnavailable(f"The database cannot be reached, read or written: {_reason(error)}.")
        self.health.fails(self._kind(pool), fault)
        return fault

    def _kind(self, pool: Pool) -> str:
        return _WRITING if pool is self.engines.writers else _READING


def _stops() -> int:
    """Count how often this task was told to end, and has not done so."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


@asynccontextmanager
async def _transaction(connection: DatabaseConnection) -> AsyncGenerator[None]:
    transaction = await connection.run_sync(Connection.begin)
    try:
        yield
        await connection.driver.commit(transaction.commit)
    except BaseException:
        await connection.run_sync(lambda _: transaction.rollback())
        raise


def _reason(error: Exception) -> str:
    """Return why it failed, without the statement and its values."""
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    cause = getattr(error, "orig", None) or error
    return str(cause).partition("\n")[0].rstrip(".")


@asynccontextmanager
async def open_database(url: str, *, patience: float = PATIENCE) -> AsyncGenerator[Database]:
    """Open `sqlite:///PATH`, `sqlite://` (memory of this one Database) or `postgresql://…`, and close it at the end.

    Makes a missing SQLite file, for its owner only. Connects to PostgreSQL on first use. `patience`
    is the time limit of each transaction, in seconds. Raises DatabaseUrlError and
    StorageUnavailable.
    """
    engines = await open_engines(url, patience)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engines.close)
        finder = await open_finder(url, engines, patience)
        if finder is not None:
            stack.push_async_callback(finder.close)
        yield Database(engines, patience, finder)


def insert(connection: DatabaseConnection, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Begin an INSERT that may say `on_conflict_do_nothing` or `on_conflict_do_update`."""
    return insert_into(connection.dialect.name, table)


def insert_into(dialect: str, table: Table) -> "postgresql.Insert | sqlite.Insert":
    """Begin the same for a dialect, as one who keeps the statement does."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - 5 MB, loaded where there is PostgreSQL

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite  # noqa: PLC0415 - the same where there is SQLite

    return sqlite.insert(table)
