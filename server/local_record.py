"""The record of a server that acts for one person: in a database of the user, opened once the first tools were listed.

A start over stdio is over with the first list of tools; the database takes a third as long again to load. So what reads
is answered without it, and what writes waits for it.
"""

import json
import os
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from typing import Any

import anyio.to_thread

from auth.audit import Entry, facts
from auth.record import Archive, Record, Unrecorded
from server.setting_values import MEMORY
from server.settings import Settings
from server.terminal import CommandError, UsageError, say


@asynccontextmanager
async def local_record(settings: Settings) -> AsyncGenerator[Record]:
    """Make the record, which is written until the block is left."""
    async with AsyncExitStack() as databases:
        record = Record(partial(_open, settings, databases), _now, _new_id, remedy=_remedy(settings))
        async with record.writing():
            yield record


async def _open(settings: Settings, databases: AsyncExitStack) -> Archive:
    """Open the database and clear out what is older than the record is kept. Raises Unrecorded."""
    store: Any = await anyio.to_thread.run_sync(import_module, "server.local_store")
    tell = _tell if settings.database_url == MEMORY and not settings.sandbox else None
    try:
        archive: Archive = await store.open_local_archive(settings, databases, _now(), tell)
    except (CommandError, UsageError) as fault:
        raise Unrecorded(str(fault)) from None
    return archive


def _tell(entry: Entry) -> None:
    """Write an entry to stderr, where alone it outlives a database in memory. Raises Unrecorded."""
    try:
        say(json.dumps({"audit": facts(entry)}, ensure_ascii=False))
    except OSError:
        raise Unrecorded("Nobody reads what is written to stderr.") from None


def _remedy(settings: Settings) -> str:
    folder = settings.data_folder if settings.database_url is None else settings.database_url
    return (
        f"The record is kept in {folder}. CALENDLY_MCP_DATABASE_URL=sqlite:///PATH keeps it elsewhere, and "
        "CALENDLY_MCP_DATABASE_URL=sqlite:// in memory, each entry also written to stderr."
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return os.urandom(8).hex()
