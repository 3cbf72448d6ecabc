"""The database of a server that acts for one person, opened once the first tools were listed.

A start over stdio is over with the first list of tools, and the database takes a third as long
again to load. So what reads is answered without it, and what writes waits for it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from auth.audit.entries import AuditEntry, facts
from auth.audit.log import Archive, AuditLogUnavailable
from calendly.errors import Unreachable
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError, say
from server.configuration.values import MEMORY

if TYPE_CHECKING:
    from server.local.store import LocalStore
    from server.stores.events import EventStore
    from server.stores.stores import Stores

    Opening = Callable[
        [Settings, AsyncExitStack, Callable[[], datetime], Callable[[AuditEntry], None] | None], Awaitable[LocalStore]
    ]


@dataclass(slots=True)
class LateStore:
    """The database, opened when somebody first needs it, once for all. Where that fails, the next call tries again.

    Attributes:
        settings: The person's.
        databases: Closes it.
        now: The wall clock.
    """

    settings: Settings
    databases: AsyncExitStack
    now: Callable[[], datetime]
    _opened: "LocalStore | None" = None
    _in_memory: "EventStore | None" = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def archive(self) -> Archive:
        """Return where the audit log is. Raises AuditLogUnavailable."""
        try:
            return (await self._open()).archive
        except CommandError as fault:
            raise AuditLogUnavailable(str(fault)) from None

    async def stores(self) -> "Stores":
        """Return what calls keep in the database. Raises Unreachable."""
        try:
            return (await self._open()).stores
        except CommandError as fault:
            raise Unreachable(f"The database could not be opened, so nothing was sent. {fault}") from None

    async def events(self) -> "EventStore":
        """Return what happened in the person's account: in memory where the database cannot be opened."""
        try:
            return (await self._open()).events
        except CommandError:
            async with self._turn:
                if self._in_memory is None:
                    from server.local.store import open_events_in_memory  # noqa: PLC0415 - loads SQLAlchemy

                    self._in_memory = await open_events_in_memory(self.settings, self.databases, self.now)
                return self._in_memory

    async def _open(self) -> "LocalStore":
        """Return what is in the database. Raises CommandError."""
        async with self._turn:
            if self._opened is None:
                opening = await asyncio.to_thread(_load)
                tell = _tell if self.settings.database_url == MEMORY and not self.settings.sandbox else None
                self._opened = await opening(self.settings, self.databases, self.now, tell)
            return self._opened


def _load() -> "Opening":
    """Import what opens the database."""
    from server.local.store import open_local_store  # noqa: PLC0415 - loads SQLAlchemy

    return open_local_store


def _tell(entry: AuditEntry) -> None:
    """Write an entry to stderr, where alone it outlives a database in memory. Raises AuditLogUnavailable."""
    try:
        say(json.dumps({"audit": facts(entry)}, ensure_ascii=False))
    except OSError:
        raise AuditLogUnavailable("Nobody reads what is written to stderr.") from None
