"""A connection whose statements are awaited: SQLAlchemy Core over a driver that either never waits, or waits apart.

SQLAlchemy's own connection for asyncio would load its object-relational mapper, and would hand each
step of a SQLite statement to a thread.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple, overload

from sqlalchemy import Connection, CursorResult, Dialect, Executable
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql.selectable import TypedReturnsRows
from sqlalchemy.util import greenlet_spawn

_T = TypeVar("_T")
_A = TypeVarTuple("_A")
_Columns = TypeVarTuple("_Columns")

StatementParameters = Mapping[str, Any] | Sequence[Mapping[str, Any]] | None

RETRIES: Final = (0.001, 0.002, 0.005, 0.01, 0.015)
"""How long to wait for a locked file between the first tries, in seconds."""

LAST_RETRY: Final = 0.025
"""The same between the tries after those, in seconds."""


class Driver(Protocol):
    """How what a driver does is waited for."""

    async def run(self, until: float, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        """Call a function of SQLAlchemy, which ends by `until`, a time of the event loop."""
        ...

    async def commit(self, function: Callable[[], None]) -> None:
        """Call what commits a transaction."""
        ...

    async def close(self, function: Callable[[], None]) -> None:
        """Call what gives a connection back. Giving up its wait does not interrupt it."""
        ...

    def stop(self) -> None:
        """End what belongs to it, once all connections are closed."""
        ...


class GreenletDriver:
    """Runs a driver of asyncio, whose waiting SQLAlchemy hides from its functions."""

    async def run(self, until: float, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        """Call a function. `Database` and the server limit its time."""
        _ = until
        return await greenlet_spawn(function, *arguments)

    async def commit(self, function: Callable[[], None]) -> None:
        """Commit."""
        await greenlet_spawn(function)

    async def close(self, function: Callable[[], None]) -> None:
        """Give a connection back."""
        await asyncio.shield(asyncio.create_task(greenlet_spawn(function)))

    def stop(self) -> None:
        """Do nothing: it has nothing of its own."""


@dataclass(frozen=True, slots=True)
class SQLiteDriver:
    """Runs SQLite on the event loop's own thread, where a statement takes less time than the way to another.

    Attributes:
        disk: Where commits wait for the disk; None in memory.
    """

    disk: Executor | None = None

    async def run(self, until: float, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        """Call a function. A file that another process has locked is asked again until it is free, or `until`."""
        loop = asyncio.get_running_loop()
        waits = chain(RETRIES, repeat(LAST_RETRY))
        while True:
            try:
                return function(*arguments)
            except (sqlite3.OperationalError, OperationalError) as fault:
                wait = next(waits)
                if not _is_locked(fault) or loop.time() + wait > until:
                    raise
            await asyncio.sleep(wait)

    async def commit(self, function: Callable[[], None]) -> None:
        """Commit. Giving up waits for the disk too: until then nobody else may have the connection.

        What is stored then is not called a failure: `Database` stops a task that was to end meanwhile.
        """
        if self.disk is None:
            function()
            return
        committed = asyncio.get_running_loop().run_in_executor(self.disk, function)
        while not committed.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([committed])
        committed.result()

    async def close(self, function: Callable[[], None]) -> None:
        """Give a connection back."""
        function()

    def stop(self) -> None:
        """End the thread of commits."""
        if self.disk is not None:
            self.disk.shutdown()


def _is_locked(fault: sqlite3.OperationalError | OperationalError) -> bool:
    cause = fault.orig if isinstance(fault, OperationalError) else fault
    return isinstance(cause, sqlite3.OperationalError) and cause.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY


@dataclass(frozen=True, slots=True)
class DatabaseConnection:
    """A connection of `Database.read` or, with a transaction, of `Database.begin`.

    Attributes:
        blocking: SQLAlchemy's connection.
        driver: How it is waited for.
        until: When its time ends, by the clock of the event loop.
    """

    blocking: Connection
    driver: Driver
    until: float

    @property
    def dialect(self) -> Dialect:
        """SQLAlchemy's name and words of the database."""
        return self.blocking.dialect

    @overload
    async def execute(
        self, statement: TypedReturnsRows[*_Columns], parameters: StatementParameters = None
    ) -> CursorResult[*_Columns]: ...

    @overload
    async def execute(
        self, statement: Executable, parameters: StatementParameters = None
    ) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(
        self, statement: Executable, parameters: StatementParameters = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement, once for each of several parameters. Its rows are fetched at once."""
        return await self.driver.run(self.until, self.blocking.execute, statement, parameters)

    @overload
    async def scalar(self, statement: TypedReturnsRows[_T]) -> _T | None: ...

    @overload
    async def scalar(self, statement: Executable) -> Any: ...  # noqa: ANN401 - as SQLAlchemy's

    async def scalar(self, statement: Executable) -> Any:
        """Execute a statement and return the first column of its first row, None when there is none."""
        return (await self.execute(statement)).scalar()

    async def run_sync(self, function: Callable[[Connection, *_A], _T], *arguments: *_A) -> _T:
        """Call a function with SQLAlchemy's connection."""
        return await self.driver.run(self.until, function, self.blocking, *arguments)
