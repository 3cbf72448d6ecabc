"""A lock between processes of one person. It ends with the process that holds it, however that ends."""

import os
import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Final

POLL: Final = 0.1
"""Seconds between two tries."""


class ProcessLockError(Exception):
    """The lock's file cannot be used, or another process held it for too long; the message says which."""


@asynccontextmanager
async def locked(path: Path, *, tries: int, sleep: Callable[[float], Awaitable[None]]) -> AsyncGenerator[None]:
    """Hold the lock until the block is left.

    It is SQLite's lock on an empty database: every system has it, and none leaves it behind after a crash.

    Args:
        path: The file of the lock, made if need be.
        tries: How often to try.
        sleep: Sleeps for a number of seconds between two tries.

    Raises:
        ProcessLockError: No try succeeded.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise ProcessLockError(f"{path} cannot be used: {error}.") from None
    with closing(connection):
        while not _take(connection, path):
            tries -= 1
            if tries <= 0:
                raise ProcessLockError(f"Another process has held {path} for too long.")
            await sleep(POLL)
        yield


def _take(connection: sqlite3.Connection, path: Path) -> bool:
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
            return False
        raise ProcessLockError(f"{path} cannot be used: {error}.") from None
    return True
