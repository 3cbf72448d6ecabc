"""The idempotency keys of bookings: one booking a key on whichever replica, and after the end of a process.

A key is a row for 24 hours, and whoever adds the row has the key. What was asked for and what
became of the booking is sealed in it: whoever can read the database might guess an invitee's
address from a digest of it.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, delete, or_, select, update

from auth.tables import booking_key as table
from auth.tables import grant as grant_table
from auth.tables import user
from calendly.request import JSON
from server.stores.faults import best_effort, required
from server.stores.proof import digest
from storage.connection import DatabaseConnection
from storage.database import Database, insert
from storage.keys import KeyRing
from storage.retention import drop_over
from storage.types import sealed_for
from tools.toolset.errors import KeyTaken
from tools.toolset.ledger import LIFETIME, KeyOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotencyKeys:
    """The keys of all people and agents.

    Attributes:
        database: Where they are.
        keyring: What their outcomes are sealed under.
        now: The wall clock.
        by_grant: An agent is the id of its grant, with which its keys end.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    now: Callable[[], datetime]
    by_grant: bool

    def of(self, person: str, agent: str) -> "AgentKeys":
        """Return the keys of one person and agent."""
        return AgentKeys(self, person, agent)


@dataclass(frozen=True, slots=True)
class AgentKeys:
    """The keys of one person and agent: `tools.toolset.ledger.Ledger`."""

    keys: IdempotencyKeys
    person: str
    agent: str

    async def recall(self, key: str, arguments: Mapping[str, object]) -> KeyOutcome | None:
        """Return what became of the call with `key`, None when there was none. Raises KeyTaken and Unreachable."""
        row = self._row(key)
        async with required("The idempotency key could not be looked up"):
            async with self.keys.database.read() as connection:
                sealed = await _find(connection, row, self.keys.now())
            return None if sealed is None else self._opened(row, sealed, arguments)

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> KeyOutcome | None:
        """Return what `recall` returns, and take a new key. Raises KeyTaken and Unreachable."""
        row, now = self._row(key), self.keys.now()
        async with required("The idempotency key could not be kept"):
            taken = {
                "digest": row,
                "grant": self._grant,
                "outcome_ciphertext": self._sealed(row, arguments, None),
                "expires_at": now + LIFETIME,
            }
            async with self.keys.database.begin() as connection:
                sealed = await _take(connection, taken, now)
            return None if sealed is None else self._opened(row, sealed, arguments)

    async def settle(self, key: str, arguments: Mapping[str, object], answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets, unless the key was released meanwhile."""
        row = self._row(key)
        async with best_effort("what became of a booking could not be kept"):
            sealed = self._sealed(row, arguments, answer)
            async with self.keys.database.begin() as connection:
                await _settle(connection, row, sealed)

    async def release(self, key: str) -> None:
        """Give `key` back: nothing was booked."""
        statement = delete(table).where(table.c.digest == self._row(key))
        async with best_effort("an idempotency key could not be given back"), self.keys.database.begin() as connection:
            await connection.execute(statement)

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep no answer with one of these addresses any more. What cannot be changed ends within 24 hours."""
        async with best_effort("stored answers of bookings could not be forgotten"):
            async with self.keys.database.read() as connection:
                stored = (await connection.execute(_of_organization(self._grant))).all()
            changed = {row: without for row, sealed in stored if (without := self._without(row, sealed, addresses))}
            async with self.keys.database.begin() as connection:
                for row, without in changed.items():
                    await _settle(connection, row, without)

    @property
    def _grant(self) -> str | None:
        return self.agent if self.keys.by_grant else None

    def _row(self, key: str) -> str:
        return digest(self.person, self.agent, key).hex()

    def _sealed(self, row: str, arguments: Mapping[str, object], answer: JSON | None) -> bytes:
        return self._written(row, {"asked": _digest_of(arguments), "answer": answer})

    def _opened(self, row: str, sealed: bytes, arguments: Mapping[str, object]) -> KeyOutcome:
        outcome = self._read(row, sealed)
        if outcome["asked"] != _digest_of(arguments):
            raise KeyTaken("This idempotency_key was used for other arguments in the last 24 hours: take a new one.")
        return KeyOutcome(outcome["answer"])

    def _without(self, row: str, sealed: bytes, addresses: Collection[str]) -> bytes | None:
        """Return an outcome without its answer, None where the answer has none of these addresses."""
        outcome = self._read(row, sealed)
        text = json.dumps(outcome["answer"], ensure_ascii=False).lower()
        if not any(address.lower() in text for address in addresses):
            return None
        return self._written(row, {**outcome, "answer": None})

    def _written(self, row: str, outcome: JSON) -> bytes:
        return self.keys.keyring.seal(json.dumps(outcome).encode(), **sealed_for(table.c.outcome_ciphertext, row))

    def _read(self, row: str, sealed: bytes) -> JSON:
        outcome: JSON = json.loads(self.keys.keyring.open(sealed, **sealed_for(table.c.outcome_ciphertext, row)))
        return outcome


async def _find(connection: DatabaseConnection, row: str, now: datetime) -> bytes | None:
    """Return the sealed outcome of a key that is in use, None for any other."""
    query = select(table.c.outcome_ciphertext).where(table.c.digest == row, table.c.expires_at > now)
    sealed: bytes | None = await connection.scalar(query)
    return sealed


async def _take(connection: DatabaseConnection, key: Mapping[str, Any], now: datetime) -> bytes | None:
    """Add the row of a key. None when it was added, else the sealed outcome of whoever had the key before."""
    await connection.execute(delete(table).where(table.c.digest == key["digest"], table.c.expires_at <= now))
    await drop_over(connection, table.c.expires_at, now)
    added = insert(connection, table).values(key).on_conflict_do_nothing()
    while (await connection.execute(added)).rowcount == 0:
        earlier = await _find(connection, key["digest"], now)
        if earlier is not None:
            return earlier
    return None


async def _settle(connection: DatabaseConnection, row: str, outcome: bytes) -> None:
    await connection.execute(update(table).where(table.c.digest == row).values(outcome_ciphertext=outcome))


def _of_organization(grant: str | None) -> Select[str, bytes]:
    """Select the keys of the organization in which this grant was given; without a grant, all keys."""
    every = select(table.c.digest, table.c.outcome_ciphertext)
    if grant is None:
        return every
    of_grant = select(grant_table.c.id).where(grant_table.c.person.in_(colleagues(grant)))
    return every.where(table.c.grant.in_(of_grant))


def colleagues(grant: str) -> Select[str]:
    """Select everybody in the organization in which a grant was given."""
    own = (
        select(user.c.uri, user.c.organization)
        .select_from(grant_table.join(user))
        .where(grant_table.c.id == grant)
        .subquery()
    )
    return select(user.c.uri).join(own, or_(user.c.uri == own.c.uri, user.c.organization == own.c.organization))


def _digest_of(arguments: Mapping[str, object]) -> str:
    """Return a text that is the same for equal arguments, in whatever order they were written."""
    return sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()
