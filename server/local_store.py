"""The database of a server that acts for one person. Loaded in the background, since it takes its time."""

from contextlib import AsyncExitStack
from datetime import datetime, timedelta

from auth.archive import DatabaseArchive
from server.settings import Settings
from server.store import open_store
from server.terminal import CommandError
from storage.errors import StorageError


async def open_local_archive(settings: Settings, databases: AsyncExitStack, now: datetime) -> DatabaseArchive:
    """Open the record, and clear out what is older than it is kept; `databases` closes it.

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
        databases.push_async_exit(attempt.pop_all())
    return archive
