"""The bookings made under idempotency keys, as long as this process lives: what `tools.toolset.ledger` asks for."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import takewhile

from calendly.request import JSON
from tools.toolset.errors import ArgumentError, KeyTaken
from tools.toolset.ledger import LIFETIME, Booking

_MOST_KEYS = 10_000

Owned = tuple[str, str, str]
"""A person, an agent, and a key of theirs."""


@dataclass(frozen=True, slots=True)
class _Record:
    expires: float
    digest: str
    booking: Booking


@dataclass(slots=True)
class OwnLedger:
    """The keys of all people and agents, each for 24 hours.

    Attributes:
        clock: Seconds that only grow.
    """

    clock: Callable[[], float]
    _records: dict[Owned, _Record] = field(default_factory=dict[Owned, _Record])  # in the order in which they expire

    def of(self, person: str, agent: str) -> "OwnBookings":
        """The bookings of one person and agent."""
        return OwnBookings(self.clock, self._records, person, agent)


@dataclass(frozen=True, slots=True)
class OwnBookings:
    """The part of a ledger that belongs to one person and agent."""

    clock: Callable[[], float]
    _records: dict[Owned, _Record]
    person: str
    agent: str

    async def recall(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """What became of the call with `key`, None when there was none. Raises KeyTaken for other arguments."""
        self._forget_expired()
        record = self._records.get(self._owned(key))
        if record is None:
            return None
        require_same(record.digest, arguments)
        return record.booking

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """As `recall`, and a new key is taken. Raises ArgumentError when there is no room for it."""
        earlier = await self.recall(key, arguments)
        if earlier is None:
            if len(self._records) >= _MOST_KEYS:
                raise ArgumentError.of("idempotency_key", "Too many keys are in use for now: leave it out, or wait.")
            expires = self.clock() + LIFETIME.total_seconds()
            self._records[self._owned(key)] = _Record(expires, digest_of(arguments), Booking())
        return earlier

    async def settle(self, key: str, arguments: Mapping[str, object], answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets."""
        record = self._records.get(self._owned(key))
        if record is not None and record.digest == digest_of(arguments):
            self._records[self._owned(key)] = replace(record, booking=Booking(answer))

    async def release(self, key: str) -> None:
        """Give `key` back."""
        self._records.pop(self._owned(key), None)

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep no answer with one of these e-mail addresses any more."""
        for owned, record in self._records.items():
            if tells_of(record.booking.answer, addresses):
                self._records[owned] = replace(record, booking=Booking())

    def _owned(self, key: str) -> Owned:
        return self.person, self.agent, key

    def _forget_expired(self) -> None:
        now = self.clock()
        expired = list(takewhile(lambda owned: self._records[owned].expires <= now, self._records))
        for owned in expired:
            del self._records[owned]


def digest_of(arguments: Mapping[str, object]) -> str:
    """What two calls share when their arguments have the same value, in whatever order they were written."""
    return sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()


def tells_of(answer: JSON | None, addresses: Collection[str]) -> bool:
    """Say whether an answer has one of these e-mail addresses anywhere in it."""
    text = json.dumps(answer, ensure_ascii=False).lower()
    return any(address.lower() in text for address in addresses)


def require_same(digest: str, arguments: Mapping[str, object]) -> None:
    """Raise KeyTaken unless a key was taken, with this digest, for these arguments."""
    if digest != digest_of(arguments):
        raise KeyTaken("This idempotency_key was used for other arguments in the last 24 hours: take a new one.")
