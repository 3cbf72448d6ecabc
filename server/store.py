"""The database and its key ring, opened and proven before anything is served."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select

from server.local_login import home_folder
from server.settings import MEMORY, Settings
from server.terminal import CommandError, UsageError
from storage.database import Database, open_database
from storage.errors import DatabaseUrlError, KeyRingError, StorageError, StorageUnavailable
from storage.keys import KeyRing
from storage.schema import migrate
from storage.tables import key_fingerprint
from storage.unlock import unlock

_FILE: Final = "calendly-mcp.sqlite3"


@dataclass(frozen=True, slots=True)
class Store:
    """A migrated database, and the keys that its secrets need."""

    database: Database
    keyring: KeyRing = field(repr=False)

    async def is_ready(self) -> bool:
        """Say whether the database answers, and needs no key that another process brought in and this one lacks."""
        try:
            async with self.database.read() as connection:
                needed = (await connection.execute(select(key_fingerprint.c.key_id))).scalars().all()
        except StorageUnavailable:
            return False
        return all(key_id in self.keyring for key_id in needed)


async def open_store(settings: Settings, stack: AsyncExitStack) -> Store:
    """Open the database, migrate it, and prove that the key ring is the one that it needs; `stack` closes it.

    Raises:
        UsageError: The address of the database or the key ring cannot be read.
        CommandError: The database cannot be used, or the key ring is another one.
    """
    _check_keys(settings)
    try:
        database = await stack.enter_async_context(open_database(_url(settings)))
        await migrate(database)
        return Store(database, await unlock(database, settings.secret_keys, now=datetime.now(UTC)))
    except DatabaseUrlError as fault:
        raise UsageError(str(fault)) from None
    except (StorageError, OSError) as fault:
        raise CommandError(str(fault)) from None


def _check_keys(settings: Settings) -> None:
    """Look at the configured key ring before the database is reached. Raises UsageError."""
    try:
        if settings.secret_keys is not None:
            KeyRing.parse(settings.secret_keys)
    except KeyRingError as fault:
        raise UsageError(f"CALENDLY_MCP_SECRET_KEYS: {fault}") from None
    if settings.secret_keys is None and _url(settings).startswith("postgresql:"):
        raise UsageError(
            "CALENDLY_MCP_SECRET_KEYS is not set; with PostgreSQL it has to be: id:base64, where "
            "`openssl rand -base64 32` makes the second part."
        )


def _url(settings: Settings) -> str:
    if settings.sandbox:
        return MEMORY
    return settings.database_url or f"sqlite:///{home_folder(settings) / _FILE}"
