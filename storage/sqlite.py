"""SQLite in a file and in memory, as SQLAlchemy drives it on the event loop's own thread.

A process has one writer, so that its tasks queue for it in order instead of asking for the file
lock again and again.
"""

import os
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool
from typing_extensions import override

from storage.private_files import make_private_folder

UNAVAILABLE: Final = frozenset(
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
"""The primary result codes that blame the database, not the statement: sqlite.org/rescode.html."""


class _Cursor(sqlite3.Cursor):
    """A cursor that fetches its rows at once, so that no statement changes what is still to be read."""

    _rows: deque[Any]

    @override
    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        super().execute(sql, parameters)
        self._rows = deque(super().fetchall())
        return self

    @override
    def fetchone(self) -> Any:
        return self._rows.popleft() if self._rows else None

    @override
    def fetchmany(self, size: int | None = 1) -> list[Any]:
        return [self._rows.popleft() for _ in range(min(size or 1, len(self._rows)))]

    @override
    def fetchall(self) -> list[Any]:
        rows, self._rows = list(self._rows), deque()
        return rows


class _Connection(sqlite3.Connection):
    @override
    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(_Cursor)


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A file that is open.

    Attributes:
        path: Where it is.
        inode: Its device and its number there. SQLite goes on writing to a file that somebody has
            removed or replaced, and what is written then is gone at the next start.
    """

    path: Path
    inode: tuple[int, int]

    def check(self) -> None:
        """Raise OSError where its path names no file any more, or another one."""
        if _inode(self.path) != self.inode:
            raise OSError("its file was removed or replaced; stop the server before that, and start it again")


def _inode(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def make_file(database: str, patience: float) -> DatabaseFile:
    """Make a missing file, for its owner only, with a write-ahead log. Raises OSError, ValueError and sqlite3.Error.

    Args:
        database: Where.
        patience: How long to wait for other processes, in seconds.
    """
    path = Path(database).absolute()
    make_private_folder(path.parent, ours=path.name)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    path.chmod(0o600)  # also of a file that was there; SQLite gives the files beside it the same mode
    _use_wal(path, patience)
    found = path.stat()
    return DatabaseFile(path, (found.st_dev, found.st_ino))


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


def open_memory(name: str) -> sqlite3.Connection:
    """Open a database in memory, which lives until the last connection to it is closed."""
    return _open(f"file:{name}?mode=memory&cache=shared")


def open_file(file: DatabaseFile) -> sqlite3.Connection:
    """Open a file that is there. What another process has locked fails at once.

    Raises OSError where it was replaced: SQLite would delete the write-ahead log beside an empty file.
    """
    file.check()
    return _open(f"{file.path.as_uri()}?mode=rw")


def _open(uri: str) -> sqlite3.Connection:
    # isolation_level None: the driver begins nothing by itself. A commit is made by another thread.
    return sqlite3.connect(uri, timeout=0, isolation_level=None, uri=True, check_same_thread=False, factory=_Connection)


def reading(connect: Callable[[], sqlite3.Connection], size: int) -> Engine:
    """Make the engine of readers, which commit each statement at once and may not write."""
    return _engine(connect, ["query_only = ON"], size, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)


def writing(connect: Callable[[], sqlite3.Connection]) -> Engine:
    """Make the engine of the one writer."""
    settings = [
        "foreign_keys = ON",
        "synchronous = FULL",  # some builds leave the last commits to a power cut
        "secure_delete = ON",  # what is deleted is overwritten
    ]
    engine = _engine(connect, settings, 1)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _engine(
    connect: Callable[[], sqlite3.Connection], settings: Sequence[str], size: int, **options: str | bool
) -> Engine:
    def opened() -> sqlite3.Connection:
        connection = connect()
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")
        return connection

    return create_engine(
        "sqlite://",
        creator=opened,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        **options,
    )


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first could fail when it writes."""
    connection.connection.cursor().execute("BEGIN IMMEDIATE")
