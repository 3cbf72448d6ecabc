"""The record of a test: in its database, or in the memory of the test alone."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import Entry, Veil
from auth.audit.log import Record, Unrecorded
from storage.database import Database
from storage.keys import KeyRing

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)


def new_id() -> str:
    """Make an id."""
    return os.urandom(8).hex()


def record_in(database: Database, ring: KeyRing, now: Callable[[], datetime], *, in_full: bool = False) -> Record:
    """Make the record of a database."""
    opening = partial(DatabaseArchive.open, database, ring, in_full=in_full, random=os.urandom)
    return Record(opening, now=now, new_id=new_id)


@dataclass
class Shelf:
    """An archive in memory, which fails as long as it is told to.

    Attributes:
        entries: What was stored.
        fault: Why nothing can be stored now.
    """

    veil: Veil = field(default_factory=lambda: Veil(b"k" * 32))
    entries: list[Entry] = field(default_factory=list[Entry])
    fault: str | None = None

    async def append(self, entries: Sequence[Entry]) -> None:
        """Store entries."""
        if self.fault is not None:
            raise Unrecorded(self.fault)
        self.entries += entries

    async def recent(self, *, person: str | None, grant: str | None, limit: int) -> list[Entry]:
        """Find the last ones."""
        del person, grant
        return self.entries[::-1][:limit]

    async def clear_out(self, before: datetime) -> None:
        """Forget what is older."""
        self.entries = [entry for entry in self.entries if entry.time >= before]


def record_in_memory(shelf: Shelf | None = None, now: Callable[[], datetime] = lambda: NOW) -> Record:
    """Make a record in memory."""
    opened = shelf or Shelf()

    async def opening() -> Shelf:
        return opened

    return Record(opening, now=now, new_id=new_id)
