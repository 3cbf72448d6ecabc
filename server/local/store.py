"""Opens the database of a server that acts for one person. Imported late, since SQLAlchemy takes its time."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import NamedTuple

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import AuditEntry
from auth.tables import booking_count, booking_key, spent_confirmation
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError
from server.configuration.values import MEMORY
from server.stores.database import open_store
from server.stores.events import EventStore
from server.stores.stores import Stores
from storage.database import open_database
from storage.errors import StorageError
from storage.retention import purge
from storage.schema import migrate
from storage.unlock import unlock


class LocalStore(NamedTuple):
    """What is in the database."""

    archive: DatabaseArchive
    stores: Stores
    events: EventStore


async def open_local_store(
    settings: Settings,
    databases: AsyncExitStack,
    now: Callable[[], datetime],
    tell: Callable[[AuditEntry], None] | None,
) -> LocalStore:
    """Open the database, and delete what is older than it is kept.

    Args:
        settings: The person's.
        databases: Closes it.
        now: The wall clock.
        tell: Is told every entry of the audit log that was stored.

    Raises:
        CommandError: The database cannot be used, or its key ring is another one.
    """
    async with AsyncExitStack() as attempt:
        store = await open_store(settings, attempt)
        try:
            await store.archive.clear_out(now() - timedelta(days=settings.audit_days))
            ends = (booking_key.c.expires_at, booking_count.c.expires_at, spent_confirmation.c.expires_at)
            await purge(store.database, ends, now=now())
            events = EventStore.over(store.database, store.keyring, now, settings.events_days, attempt)
            await events.feeds.retain()
        except StorageError as fault:
            raise CommandError(str(fault)) from None
        store.archive.tell = tell
        databases.push_async_exit(attempt.pop_all())
    return LocalStore(store.archive, Stores.over(store.database, store.keyring, now, by_grant=False), events)


async def open_events_in_memory(
    settings: Settings, databases: AsyncExitStack, now: Callable[[], datetime]
) -> EventStore:
    """Return a feed in memory, for a process that cannot open its database."""
    database = await databases.enter_async_context(open_database(MEMORY))
    await migrate(database)
    return EventStore.over(database, await unlock(database, None, now=now()), now, settings.events_days, databases)
