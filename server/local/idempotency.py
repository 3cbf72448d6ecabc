"""The idempotency keys of a server that acts for one person: in its database, which the first booking has opened.

Where the database would end with the process, they are kept without one.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass

from calendly.errors import Unreachable
from calendly.request import JSON
from server.configuration.terminal import CommandError
from server.configuration.values import MEMORY
from server.local.late_store import LateStore
from tools.toolset.idempotency import OwnLedger
from tools.toolset.ledger import Booking, Bookings, Ledger


def local_ledger(store: LateStore, clock: Callable[[], float]) -> Ledger:
    """Return the keys of a person's own server.

    Args:
        store: Its database.
        clock: Seconds that only grow.
    """
    in_memory = store.settings.sandbox or store.settings.database_url == MEMORY
    return OwnLedger(clock) if in_memory else LateLedger(store)


@dataclass(frozen=True, slots=True)
class LateLedger:
    """The keys in a database that is opened when one is first asked for: `tools.toolset.ledger.Ledger`."""

    store: LateStore

    def of(self, person: str, agent: str) -> "LateBookings":
        """The bookings of one person and agent."""
        return LateBookings(self.store, person, agent)


@dataclass(frozen=True, slots=True)
class LateBookings:
    """The bookings of one person and agent: `tools.toolset.ledger.Bookings`."""

    store: LateStore
    person: str
    agent: str

    async def recall(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """What became of the call with `key`, None when there was none. Raises KeyTaken and Unreachable."""
        return await (await self._opened()).recall(key, arguments)

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """As `recall`, and a new key is taken. Raises KeyTaken and Unreachable."""
        return await (await self._opened()).reserve(key, arguments)

    async def settle(self, key: str, arguments: Mapping[str, object], answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets."""
        await (await self._opened()).settle(key, arguments, answer)

    async def release(self, key: str) -> None:
        """Give `key` back."""
        await (await self._opened()).release(key)

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep no answer with one of these e-mail addresses any more."""
        with suppress(Unreachable):  # what was not opened has kept nothing
            await (await self._opened()).forget(addresses)

    async def _opened(self) -> Bookings:
        try:
            kept = await self.store.opened()
        except CommandError as fault:
            raise Unreachable(f"The idempotency key could not be kept, so this call sent nothing. {fault}") from None
        return kept.ledger.of(self.person, self.agent)
