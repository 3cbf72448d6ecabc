"""What a server that acts for one person keeps: in a database of the user, opened once the first tools were listed.

A start over stdio is over with the first list of tools; the database takes a third as long again to load. So what reads
is answered without it, and what writes waits for it.
"""

import json
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

import anyio
import anyio.to_thread

from auth.audit.entries import AuditEntry, facts
from auth.audit.log import Archive, AuditLogUnavailable
from server.configuration.settings import Settings
from server.configuration.terminal import say
from server.configuration.values import MEMORY
from tools.toolset.ledger import Ledger


class Kept(NamedTuple):
    """What is in the database."""

    archive: Archive
    ledger: Ledger


@dataclass(slots=True)
class LateStore:
    """The database, opened when somebody first needs it, once for all.

    Attributes:
        settings: The person's.
        databases: Closes it.
    """

    settings: Settings
    databases: AsyncExitStack
    _kept: Kept | None = None
    _turn: anyio.Lock = field(default_factory=anyio.Lock)

    async def opened(self) -> Kept:
        """Return what is in it; where it cannot be opened, the next call tries again.

        Raises CommandError where the database cannot be used, or its key ring is another one.
        """
        async with self._turn:
            if self._kept is None:
                store: Any = await anyio.to_thread.run_sync(import_module, "server.local.store")
                tell = _tell if self.settings.database_url == MEMORY and not self.settings.sandbox else None
                opening = store.open_local_store(self.settings, self.databases, datetime.now(UTC), tell)
                self._kept = Kept(*await opening)
            return self._kept


def _tell(entry: AuditEntry) -> None:
    """Write an entry to stderr, where alone it outlives a database in memory. Raises AuditLogUnavailable."""
    try:
        say(json.dumps({"audit": facts(entry)}, ensure_ascii=False))
    except OSError:
        raise AuditLogUnavailable("Nobody reads what is written to stderr.") from None
