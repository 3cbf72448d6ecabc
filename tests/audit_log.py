"""The audit log of a test: in its database, or in the memory of the test alone."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import AuditEntry, Redactor
from auth.audit.log import AuditLog, AuditLogUnavailable
from storage.database import Database
from storage.keys import KeyRing

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


def new_id() -> str:
    """Make an id."""
    return os.urandom(8).hex()


def audit_log_in(database: Database, ring: KeyRing, now: Callable[[], datetime], *, in_full: bool = False) -> AuditLog:
    """Make the audit log of a database."""
    opening = partial(DatabaseArchive.open, database, ring, in_full=in_full, random=os.urandom)
    return AuditLog(opening, now=now, new_id=new_id)


@dataclass
class Shelf:
    """An archive in memory, which fails as long as it is told to.

    Attributes:
        entries: What was stored.
        fault: Why nothing can be stored now.
    """

    redactor: Redactor = field(default_factory=lambda: Redactor(b"k" * 32))
    entries: list[AuditEntry] = field(default_factory=list[AuditEntry])
    fault: str | None = None

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """Store entries."""
        if self.fault is not None:
            raise AuditLogUnavailable(self.fault)
        self.entries += entries

    async def recent(
        self, *, person: str | None, grant: str | None, limit: int, called: Mapping[str, str] | None
    ) -> list[AuditEntry]:
        """Find the last ones."""
        del person, grant, called
        return self.entries[::-1][:limit]

    async def clear_out(self, before: datetime) -> None:
        """Forget what is older."""
        self.entries = [entry for entry in self.entries if entry.time >= before]


Recording = Callable[[object], AbstractAsyncContextManager[AuditLog]]
"""How a server opens its audit log."""


def recording_on(shelf: Shelf | None = None, now: Callable[[], datetime] = lambda: NOW) -> Recording:
    """Have a server write its audit log in memory."""

    @asynccontextmanager
    async def recording(_: object) -> AsyncGenerator[AuditLog]:
        audit_log = audit_log_in_memory(shelf, now)
        async with audit_log.writing():
            yield audit_log

    return recording


def audit_log_in_memory(shelf: Shelf | None = None, now: Callable[[], datetime] = lambda: NOW) -> AuditLog:
    """Make a record in memory."""
    opened = shelf or Shelf()

    async def opening() -> Shelf:
        return opened

    return AuditLog(opening, now=now, new_id=new_id)
