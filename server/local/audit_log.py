"""The audit log of a server that acts for one person; see `server.local.late_store` for where it is."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from auth.audit.log import Archive, AuditLog, AuditLogUnavailable
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError
from server.local.late_store import LateStore


@asynccontextmanager
async def local_audit_log(store: LateStore) -> AsyncGenerator[AuditLog]:
    """Make the audit log, which is written until the block is left."""
    audit_log = AuditLog(partial(_open, store), _now, _new_id, remedy=_remedy(store.settings))
    async with audit_log.writing():
        yield audit_log


async def _open(store: LateStore) -> Archive:
    try:
        return (await store.opened()).archive
    except CommandError as fault:
        raise AuditLogUnavailable(str(fault)) from None


def _remedy(settings: Settings) -> str:
    folder = settings.data_folder if settings.database_url is None else settings.database_url
    return (
        f"The audit log is kept in {folder}. CALENDLY_MCP_DATABASE_URL=sqlite:///PATH keeps it elsewhere, and "
        "CALENDLY_MCP_DATABASE_URL=sqlite:// in memory, each entry also written to stderr."
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return os.urandom(8).hex()
