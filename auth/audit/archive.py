"""The audit log in the database: appends, finds, verifies and deletes entries."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
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
    """The audit log in a database, as one process writes and reads it.

    Args:
        database: Where it is.
        keys: Protect it.
        redactor: Redacts personal data.
        new_id: Gives a chain an id that no other has.
        tell: Called with each stored entry, where the database ends with this process.
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
        """Store entries, all or none. After an attempt with an unknown outcome, a new chain begins.

        Raises:
            AuditLogUnavailable: They are not stored, as far as is known.
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
        """Find entries in the order of their times, a finished call once. Raises StorageUnavailable."""
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

    async def recent(
        self,
        *,
        person: str | None = None,
        grant: str | None = None,
        limit: int = 20,
        called: Mapping[str, str] | None = None,
    ) -> list[AuditEntry]:
        """Find the last entries of a person or of one of their agents, the newest first. Raises StorageUnavailable.

        Args:
            person: A user URI.
            grant: The id of the grant of one agent.
            limit: How many at most.
            called: What people are called in the sentences, by user URI; by default the person is `you`.
        """
        names = None if person is None else self.names_of(person)
        async with self.database.read() as connection:
            found = await rows.find(connection, EntryFilter(people=names, grant=grant), limit)
        known = {} if person is None else {person: "you"}
        words = {name: word for uri, word in (called or known).items() for name in self.names_of(uri)}
        return [_to(entry, words) for entry in found]

    def names_of(self, person: str) -> tuple[str, ...]:
        """Return the names under which entries may have a person, hashed and in full."""
        return (self.redactor.hash(person), person)

    async def verify(self) -> AsyncGenerator[str]:
        """Verify the whole audit log. Yields one sentence for each fault.

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
        """Delete entries older than a time. Raises StorageUnavailable; what was deleted before that stays deleted."""
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
        """Verify one chain. Starts again when its base was moved meanwhile."""
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


def _to(entry: AuditEntry, words: Mapping[str, str]) -> AuditEntry:
    """Return an entry with words in the place of the names of people."""
    sentence = entry.sentence
    for name, word in words.items():
        sentence = sentence.replace(name, word)
    return replace(entry, sentence=sentence)
