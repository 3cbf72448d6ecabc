"""The audit log of a server that acts for one person; `server.local.late_store` opens the database it is in."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from auth.audit.log import AuditLog
from server.configuration.settings import Settings
from server.local.late_store import LateStore


@asynccontextmanager
async def local_audit_log(store: LateStore) -> AsyncGenerator[AuditLog]:
    """Make the audit log, which is written until the block is left."""
    audit_log = AuditLog(store.archive, store.now, _new_id, remedy=_remedy(store.settings))
    async with audit_log.writing():
        yield audit_log


def _remedy(settings: Settings) -> str:
    folder = settings.data_folder if settings.database_url is None else settings.database_url
    return (
        f"The audit log is kept in {folder}. CALENDLY_MCP_DATABASE_URL=sqlite:///PATH keeps it elsewhere, and "
        "CALENDLY_MCP_DATABASE_URL=sqlite:// in memory, each entry also written to stderr."
    )


def _new_id() -> str:
    return os.urandom(8).hex()
