"""The bookings made under idempotency keys, in this process: what `tools.bookings.Bookings` asks for."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import takewhile

from calendly.request import JSON
from tools.bookings import Booking
from tools.errors import ArgumentError, KeyTaken

_LIFETIME = 24 * 60 * 60.0
_MOST_KEYS = 10_000

Owned = tuple[str, str, str]
"""A person, an agent, and a key of theirs."""


@dataclass(frozen=True, slots=True)
class _Record:
    expires: float
    digest: bytes
    booking: Booking


@dataclass(slots=True)
class Ledger:
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

    def recall(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """What became of the call with `key`, None when there was none. Raises KeyTaken for other arguments."""
        self._forget_expired()
        record = self._records.get(self._owned(key))
        if record is None:
            return None
        if record.digest != _digest(arguments):
            raise KeyTaken("This idempotency_key was used for other arguments in the last 24 hours: take a new one.")
        return record.booking

    def reserve(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """As `recall`, and a new key is taken. Raises ArgumentError when there is no room for it."""
        earlier = self.recall(key, arguments)
        if earlier is None:
            if len(self._records) >= _MOST_KEYS:
                raise ArgumentError.of("idempotency_key", "Too many keys are in use for now: leave it out, or wait.")
            self._records[self._owned(key)] = _Record(self.clock() + _LIFETIME, _digest(arguments), Booking())
        return earlier

    def settle(self, key: str, answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets."""
        record = self._records.get(self._owned(key))
        if record is not None:
            self._records[self._owned(key)] = replace(record, booking=Booking(answer))

    def release(self, key: str) -> None:
        """Give `key` back."""
        self._records.pop(self._owned(key), None)

    def _owned(self, key: str) -> Owned:
        return self.person, self.agent, key

    def _forget_expired(self) -> None:
        now = self.clock()
        expired = list(takewhile(lambda owned: self._records[owned].expires <= now, self._records))
        for owned in expired:
            del self._records[owned]


def _digest(arguments: Mapping[str, object]) -> bytes:
    """What two calls share when their arguments have the same value, in whatever order they were written."""
    return sha256(json.dumps(arguments, sort_keys=True).encode()).digest()
