"""The audit log in the database: appended to this process's chain, found again, checked, and cleared out in time."""

from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from auth.audit import rows
from auth.audit.chain import Chain, Keys, check_end, check_register, follow
from auth.audit.entries import AuditEntry, Redactor
from auth.audit.log import AuditLogUnavailable
from auth.audit.rows import EntryFilter, OwnChain
from storage.database import Database
from storage.errors import StorageError
from storage.keys import KeyRing

_PAGE: Final = 200


@dataclass(slots=True)
class DatabaseArchive:
    """The audit log as one process writes and reads it.

    Args:
        database: Where it is.
        keys: What it is protected by.
        redactor: How personal data is recorded.
        new_id: Gives a chain an id that no other has.
        tell: Is told every entry that was stored, where the database ends with this process.
    """

    database: Database
    keys: Keys = field(repr=False)
    redactor: Redactor
    new_id: Callable[[], str]
    tell: Callable[[AuditEntry], None] | None = None
    _own: OwnChain | None = None

    @classmethod
    async def open(
        cls, database: Database, ring: KeyRing, *, in_full: bool, random: Callable[[int], bytes]
    ) -> "DatabaseArchive":
        """Open the audit log of a database. Raises StorageError."""
        async with database.begin() as connection:
            keys = await rows.open_keys(connection, ring, random)
        return cls(database, keys, Redactor(keys.personal, in_full), lambda: random(16).hex())

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """Store entries, all or none; after an attempt of which nobody knows what became, in a new chain.

        Raises:
            AuditLogUnavailable: They are not stored, as far as one can know.
        """
        own, self._own = self._own, None
        try:
            async with self.database.begin() as connection:
                continued = own and await rows.append(connection, self.keys, own, entries)
                if continued is None:
                    begun = await rows.begin_chain(connection, self.keys, self.new_id())
                    continued = await rows.append(connection, self.keys, begun, entries)
        except StorageError as fault:
            raise AuditLogUnavailable(str(fault)) from fault
        except SQLAlchemyError as fault:
            raise AuditLogUnavailable("The database does not take the audit log.") from fault
        self._own = continued
        if self.tell is not None:
            for entry in entries:
                self.tell(entry)

    async def find(
        self, wanted: EntryFilter, limit: int | None = None, *, oldest_first: bool = False
    ) -> AsyncGenerator[AuditEntry]:
        """Find entries in the order of their times. A call that is over is found once. Raises StorageUnavailable."""
        last: AuditEntry | None = None
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            async with self.database.read() as connection:
                page = await rows.find(connection, wanted, size, after=last, oldest_first=oldest_first)
            for last in page:
                yield last
            if len(page) < size:
                return
            left = None if left is None else left - size

    async def recent(self, *, person: str | None = None, grant: str | None = None, limit: int = 20) -> list[AuditEntry]:
        """Find the last entries of a person or of one of their agents, the newest first.

        Their sentences, as `told`, are for that person: they are called `you`. Raises StorageUnavailable.

        Args:
            person: A user URI.
            grant: What the person allowed one agent.
            limit: How many at most.
        """
        names = None if person is None else self.names_of(person)
        async with self.database.read() as connection:
            found = await rows.find(connection, EntryFilter(people=names, grant=grant), limit)
        return [_to(entry, names or ()) for entry in found]

    def names_of(self, person: str) -> tuple[str, ...]:
        """Return as what a person may be recorded, whatever the detail was then."""
        return (self.redactor.hash(person), person)

    async def verify(self) -> AsyncGenerator[str]:
        """Check all of the audit log, and say what is wrong; nothing when all is as it was written.

        Raises StorageUnavailable.
        """
        async with self.database.read() as connection:
            register, chains = await rows.read_chains(connection)
        if register is None:
            yield "the register of the chains is missing"
            return
        for fault in check_register(self.keys, register, chains):
            yield fault
        for chain in chains:
            for fault in await self._check(chain):
                yield fault
        async with self.database.read() as connection:
            strays = await rows.count_strays(connection)
        if strays:
            yield f"{strays} entries belong to no chain"

    async def count(self) -> tuple[int, int]:
        """Count entries and chains. Raises StorageUnavailable."""
        async with self.database.read() as connection:
            return await rows.count(connection)

    async def clear_out(self, before: datetime) -> None:
        """Delete what is of before a time. Raises StorageUnavailable; what went before it is gone."""
        async with self.database.read() as connection:
            chains = await rows.chains_before(connection, before)
        for chain in chains:
            more = True
            while more:
                async with self.database.begin() as connection:
                    more = await rows.clear_out(connection, self.keys, chain, before)
        if chains:
            async with self.database.begin() as connection:
                await rows.drop_empty(connection, self.keys)

    async def _check(self, chain: Chain) -> list[str]:
        """Check one chain; once more where its beginning was moved meanwhile."""
        while True:
            faults = await self._follow(chain)
            if not faults:
                return []
            async with self.database.read() as connection:
                again = await rows.read_chain(connection, chain.id)
            if again is None or again.base == chain.base:
                return [] if again is None else faults
            chain = again

    async def _follow(self, chain: Chain) -> list[str]:
        tip, faults = chain.base, list[str]()
        while True:
            async with self.database.read() as connection:
                links = await rows.read_links(connection, chain.id, tip.sequence)
            if not links:
                return [*faults, *check_end(chain, tip)]
            tip, more = follow(self.keys, chain, tip, links)
            faults += more


def _to(entry: AuditEntry, names: Sequence[str]) -> AuditEntry:
    """Return an entry as it is told to the person it is about."""
    sentence = entry.sentence
    for name in names:
        sentence = sentence.replace(name, "you")
    return replace(entry, sentence=sentence)
