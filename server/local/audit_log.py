"""The record of a server that acts for one person; see `server.local.late_store` for where it is."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from auth.audit.log import Archive, Record, Unrecorded
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError
from server.local.late_store import LateStore


@asynccontextmanager
async def local_record(store: LateStore) -> AsyncGenerator[Record]:
    """Make the record, which is written until the block is left."""
    record = Record(partial(_open, store), _now, _new_id, remedy=_remedy(store.settings))
    async with record.writing():
        yield record


async def _open(store: LateStore) -> Archive:
    try:
        return (await store.opened()).archive
    except CommandError as fault:
        raise Unrecorded(str(fault)) from None


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
