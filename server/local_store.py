"""The database of a server that acts for one person. Loaded in the background, since it takes its time."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from auth.archive import DatabaseArchive
from auth.audit import Entry
from server.settings import Settings
from server.store import open_store
from server.terminal import CommandError
from storage.errors import StorageError


async def open_local_archive(
    settings: Settings, databases: AsyncExitStack, now: datetime, tell: Callable[[Entry], None] | None
) -> DatabaseArchive:
    """Open the record, and clear out what is older than it is kept.

    Args:
        settings: The person's.
        databases: Closes it.
        now: The time.
        tell: Is told every entry that was stored.

    Raises:
        CommandError: The database cannot be used, or its key ring is another one.
        UsageError: Its address cannot be read.
    """
    async with AsyncExitStack() as attempt:
        archive = (await open_store(settings, attempt)).archive
        try:
            await archive.clear_out(now - timedelta(days=settings.audit_days))
        except StorageError as fault:
            raise CommandError(str(fault)) from None
        archive.tell = tell
        databases.push_async_exit(attempt.pop_all())
    return archive
