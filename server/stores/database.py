"""The database and its key ring, opened and proven before anything is served."""

import os
import shutil
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import select

from auth.audit.archive import DatabaseArchive
from auth.audit.log import AuditLog
from server.configuration.folders import home_folder
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError
from server.configuration.values import MEMORY
from storage.database import Database, open_database
from storage.errors import StorageError, StorageUnavailable
from storage.keys import KeyRing
from storage.private_files import make_private_folder
from storage.schema import migrate
from storage.tables import key_fingerprint
from storage.unlock import unlock

_LOOK: Final = 5.0
"""Time between two checks of the database, in seconds."""

_FILE: Final = "calendly-mcp.sqlite3"
_SANDBOXED: Final = "A server with --sandbox keeps its own in memory, where no command reaches it."


@dataclass(frozen=True, slots=True)
class Store:
    """A migrated database, the keys that its secrets need, and the audit log that is kept in it."""

    database: Database
    keyring: KeyRing = field(repr=False)
    archive: DatabaseArchive

    async def is_ready(self) -> bool:
        """Say whether the database answers, and needs no key that another process brought in and this one lacks."""
        try:
            async with self.database.read() as connection:
                needed = (await connection.execute(select(key_fingerprint.c.key_id))).scalars().all()
        except StorageUnavailable:
            return False
        return all(key_id in self.keyring for key_id in needed)


async def watch_database(database: Database, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Check a database every few seconds until cancelled, so that the log tells of an outage without traffic too."""
    database.health.is_told = True
    while True:
        with suppress(StorageUnavailable):
            async with database.read() as connection:
                await connection.execute(select(1))
            if database.health.fails_to_write:
                async with database.begin() as connection:
                    await connection.execute(select(1))
        await sleep(_LOOK)


def require_database(settings: Settings) -> None:
    """Raise CommandError if the database has no file yet."""
    url = _url(settings)
    path = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not path.exists():
        raise CommandError(f"there is no database at {path} yet. {_SANDBOXED}")


def settings_to_read(
    settings: Settings,
    stack: AsyncExitStack,
    is_writable: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK),
) -> Settings:
    """Return settings with which the database can be read: those of a copy if its disk is read-only.

    Opening a database writes to it. The copy is gone when `stack` ends.

    Raises:
        CommandError: It cannot be copied.
    """
    url = _url(settings)
    path = Path(url.removeprefix("sqlite:///"))
    if not url.startswith("sqlite:///") or (is_writable(path) and is_writable(path.parent)):
        return settings
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="calendly-mcp-")))
    try:
        for end in ("", "-wal", ".keys"):
            file = path.with_name(f"{path.name}{end}")
            if file.exists():
                shutil.copy(file, folder)
    except OSError as fault:
        raise CommandError(f"{path} can only be read, and cannot be copied to be read: {fault.strerror}.") from None
    return settings.model_copy(update={"database_url": f"sqlite:///{folder / path.name}"})


async def open_store(settings: Settings, stack: AsyncExitStack) -> Store:
    """Open the database, migrate it, and prove that the key ring is the one that it needs; `stack` closes it.

    Raises CommandError where the database cannot be used, or the key ring is another one.
    """
    try:
        if settings.database_url is None and not settings.sandbox:
            make_private_folder(home_folder(settings))
        database = await stack.enter_async_context(open_database(_url(settings)))
        await migrate(database)
        keyring = await unlock(database, settings.secret_keys, now=_now())
        in_full = settings.audit_detail == "full"
        archive = await DatabaseArchive.open(database, keyring, in_full=in_full, random=os.urandom)
        return Store(database, keyring, archive)
    except StorageError as fault:
        raise CommandError(str(fault)) from None
    except OSError as fault:
        raise CommandError(f"{fault.filename} cannot be used: {fault.strerror}.") from None


def audit_log_in(archive: DatabaseArchive) -> AuditLog:
    """Return the writer of an open record."""

    async def opened() -> DatabaseArchive:
        return archive

    return AuditLog(opened, now=_now, new_id=_new_id, remedy="Whoever runs this server can see to its database.")


def _new_id() -> str:
    return os.urandom(8).hex()


def _now() -> datetime:
    return datetime.now(UTC)


def _url(settings: Settings) -> str:
    if settings.sandbox:
        return MEMORY
    return settings.database_url or f"sqlite:///{home_folder(settings) / _FILE}"
