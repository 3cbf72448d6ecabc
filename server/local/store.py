"""The database of a server that acts for one person. Loaded in the background, since it takes its time."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import AuditEntry
from auth.tables import booking_key
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError
from server.stores.database import open_store
from server.stores.shared_ledger import SharedLedger
from storage.errors import StorageError
from storage.retention import purge


async def open_local_store(
    settings: Settings, databases: AsyncExitStack, now: datetime, tell: Callable[[AuditEntry], None] | None
) -> tuple[DatabaseArchive, SharedLedger]:
    """Open the audit log and the idempotency keys, and clear out what is older than they are kept.

    Args:
        settings: The person's.
        databases: Closes them.
        now: The time.
        tell: Is told every entry that was stored.

    Raises CommandError where the database cannot be used, or its key ring is another one.
    """
    async with AsyncExitStack() as attempt:
        store = await open_store(settings, attempt)
        try:
            await store.archive.clear_out(now - timedelta(days=settings.audit_days))
            await purge(store.database, [booking_key.c.expires_at], now=now)
        except StorageError as fault:
            raise CommandError(str(fault)) from None
        store.archive.tell = tell
        databases.push_async_exit(attempt.pop_all())
    return store.archive, SharedLedger(database=store.database, keyring=store.keyring, now=_now, by_grant=False)


def _now() -> datetime:
    return datetime.now(UTC)
