"""SQLite in memory, run by the thread of the event loop: nothing there waits for a disk or another process.

SQLAlchemy's aiosqlite dialect drives it, so these classes have coroutines where aiosqlite has some.
"""

import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self


class MemoryCursor:
    """A cursor as the dialect expects it."""

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self._cursor = cursor

    def __getattr__(self, name: str) -> object:
        """Return an attribute of the cursor of the standard library, such as `description`."""
        return getattr(self._cursor, name)

    async def __aenter__(self) -> Self:
        """Open it."""
        return self

    async def execute(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement."""
        self._cursor.execute(statement, parameters)

    async def executemany(self, statement: str, parameters: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each row."""
        self._cursor.executemany(statement, parameters)

    async def fetchall(self) -> Sequence[Any]:
        """Return the rows."""
        return self._cursor.fetchall()

    async def close(self) -> None:
        """Close it."""
        self._cursor.close()


class MemoryConnection:
    """A connection as the dialect expects it, which asks `_connection` whether it is open."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection: sqlite3.Connection | None = connection
        self.cursor = lambda: MemoryCursor(connection.cursor())
        self.create_function = _coroutine(connection.create_function)
        self.commit = _coroutine(connection.commit)
        self.rollback = _coroutine(connection.rollback)
        self.close = _coroutine(self.stop)

    def stop(self) -> None:
        """Close it."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def connecting(name: str) -> Callable[[], Awaitable[MemoryConnection]]:
    """Return what connects to the database in memory of this name."""

    async def connect() -> MemoryConnection:
        return MemoryConnection(open_memory(name))

    return connect


def open_memory(name: str) -> sqlite3.Connection:
    """Open a database in memory, which lives until the last connection to it is closed."""
    # isolation_level None: the driver begins nothing by itself.
    return sqlite3.connect(f"file:{name}?mode=memory&cache=shared", uri=True, isolation_level=None)


def _coroutine(function: Callable[..., object]) -> Callable[..., Awaitable[None]]:
    async def called(*arguments: object, **options: object) -> None:
        function(*arguments, **options)

    return called
