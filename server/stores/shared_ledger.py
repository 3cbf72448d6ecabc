"""The idempotency keys in the database: one booking a key on whichever replica, and after the end of a process.

See `tools.toolset.idempotency` for what they are; there they live and die with one process.
"""

import json
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from auth.grants.idempotency_rows import Key, find, give_back, outcome_place, outcomes, settle, take
from calendly.errors import Unreachable
from calendly.request import JSON
from server.stores.seal import digest
from storage.database import Database
from storage.errors import StorageError
from storage.keys import KeyRing
from tools.toolset.idempotency import digest_of, require_same, tells_of
from tools.toolset.ledger import LIFETIME, Booking

_log: Final = logging.getLogger(__name__)

_FAULTS: Final = (StorageError, SQLAlchemyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedLedger:
    """The keys of all people and agents: `tools.toolset.ledger.Ledger`.

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

    def of(self, person: str, agent: str) -> "SharedBookings":
        """The bookings of one person and agent."""
        return SharedBookings(self, person, agent)


@dataclass(frozen=True, slots=True)
class SharedBookings:
    """The part of a ledger that belongs to one person and agent: `tools.toolset.ledger.Bookings`."""

    ledger: SharedLedger
    person: str
    agent: str

    async def recall(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """What became of the call with `key`, None when there was none. Raises KeyTaken and Unreachable."""
        row = self._row(key)
        async with _in_storage("looked up"):
            async with self.ledger.database.read() as connection:
                outcome = await find(connection, row, self.ledger.now())
            return None if outcome is None else self._opened(row, outcome, arguments)

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """As `recall`, and a new key is taken. Raises KeyTaken and Unreachable."""
        row, now = self._row(key), self.ledger.now()
        async with _in_storage("kept"):
            taken = Key(row, self._grant, self._sealed(row, arguments, None), now + LIFETIME)
            async with self.ledger.database.begin() as connection:
                outcome = await take(connection, taken, now)
            return None if outcome is None else self._opened(row, outcome, arguments)

    async def settle(self, key: str, arguments: Mapping[str, object], answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets. Where that fails, later calls look for the booking."""
        row = self._row(key)
        try:
            sealed = self._sealed(row, arguments, answer)
            async with self.ledger.database.begin() as connection:
                await settle(connection, row, sealed)
        except _FAULTS as fault:
            _log.warning("what became of a booking could not be kept: %s", fault)

    async def release(self, key: str) -> None:
        """Give `key` back. Where that fails, later calls look for a booking."""
        try:
            async with self.ledger.database.begin() as connection:
                await give_back(connection, self._row(key))
        except _FAULTS as fault:
            _log.warning("an idempotency key could not be given back: %s", fault)

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep no answer with one of these e-mail addresses any more. What cannot be changed ends within 24 hours."""
        try:
            async with self.ledger.database.read() as connection:
                kept = await outcomes(connection, self._grant)
            changed = {row: forgetful for row, sealed in kept if (forgetful := self._without(row, sealed, addresses))}
            async with self.ledger.database.begin() as connection:
                for row, forgetful in changed.items():
                    await settle(connection, row, forgetful)
        except _FAULTS as fault:
            _log.warning("stored answers of bookings could not be forgotten: %s", fault)

    @property
    def _grant(self) -> str | None:
        return self.agent if self.ledger.by_grant else None

    def _without(self, row: str, sealed: bytes, addresses: Collection[str]) -> bytes | None:
        """Return an outcome without its answer, None where that tells of nobody at these addresses."""
        outcome = self._read(row, sealed)
        if not tells_of(outcome["answer"], addresses):
            return None
        return self._written(row, {**outcome, "answer": None})

    def _row(self, key: str) -> str:
        return digest(self.person, self.agent, key).hex()

    def _sealed(self, row: str, arguments: Mapping[str, object], answer: JSON | None) -> bytes:
        return self._written(row, {"asked": digest_of(arguments), "answer": answer})

    def _opened(self, row: str, sealed: bytes, arguments: Mapping[str, object]) -> Booking:
        outcome = self._read(row, sealed)
        require_same(outcome["asked"], arguments)
        return Booking(outcome["answer"])

    def _written(self, row: str, outcome: JSON) -> bytes:
        return self.ledger.keyring.seal(json.dumps(outcome).encode(), **outcome_place(row))

    def _read(self, row: str, sealed: bytes) -> JSON:
        outcome: JSON = json.loads(self.ledger.keyring.open(sealed, **outcome_place(row)))
        return outcome


@asynccontextmanager
async def _in_storage(done: str) -> AsyncGenerator[None]:
    """Say in an Unreachable what could not be done: a call that carries a key is not sent without it."""
    try:
        yield
    except _FAULTS as fault:
        _log.warning("an idempotency key could not be %s: %s", done, fault)
        raise Unreachable(f"The idempotency key could not be {done}, so this call sent nothing.") from None
