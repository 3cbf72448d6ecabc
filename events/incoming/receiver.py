"""The receiver of Calendly's webhooks: finds whose a delivery is, has it checked, and publishes it in their feed."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from events.feed.feed import Feeds
from events.identity import told
from events.incoming import stored_receivers
from events.incoming.batches import Batches
from events.incoming.incoming import ReceiverFacts, Refused, VerifiedDelivery, no_room, read_delivery, receiver_digest
from events.incoming.stored_receivers import AddressedReceiver, StoredReceiver
from events.incoming.webhook_states import REFUSED_OFTEN
from events.kinds import MEETINGS
from storage.database import Database
from storage.errors import StorageError
from storage.keys import KeyRing

IN_HAND: Final = 32
WAITING: Final = 64
STORING: Final = 2
"""How many deliveries a process reads, how many may wait for that, and for how many people it stores at a time."""

NOTED_EVERY: Final = timedelta(minutes=1)
"""How old the note of the last delivery may grow while others come."""


class Accepted(NamedTuple):
    """A delivery that is stored.

    Attributes:
        person: Whose feed it is in.
        event: Calendly's name of the event.
        is_new: It was not stored before.
    """

    person: str
    event: str
    is_new: bool


class Room:
    """How many deliveries a process deals with at a time."""

    def __init__(self) -> None:
        self._in_hand = asyncio.Semaphore(IN_HAND)
        self._waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[None]:
        """Wait for a place. Raises Refused, 503, where too many wait."""
        if self._in_hand.locked():
            if self._waiting >= WAITING:
                raise no_room()
            self._waiting += 1
            try:
                await self._in_hand.acquire()
            finally:
                self._waiting -= 1
        else:
            await self._in_hand.acquire()
        try:
            yield
        finally:
            self._in_hand.release()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Takes deliveries for all people.

    Attributes:
        database: Where receivers are.
        keyring: What their keys are sealed under.
        feeds: Where events are published.
        keys: The keys of OAuth applications that Calendly may sign with too.
        now: The wall clock.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    feeds: Feeds
    keys: Sequence[str] = field(default=(), repr=False)
    now: Callable[[], datetime]
    _batches: Batches = field(default_factory=lambda: Batches(STORING))

    async def receive(self, secret: str, signatures: Sequence[str], body: bytes) -> Accepted:
        """Check a delivery and store what it tells.

        Args:
            secret: From the address that it was posted to.
            signatures: All values of the header `Calendly-Webhook-Signature`.
            body: The bytes that were received.

        Raises:
            Refused: It is refused; nothing is stored but that its signature was wrong.
        """
        try:
            found = await self._find(secret)
            facts = None if found is None else ReceiverFacts(found.person, (found.key(self.keyring), *self.keys))
            try:
                delivery = read_delivery(body, signatures, facts, self.now().timestamp())
            except Refused as refusal:
                if refusal.is_signature and found is not None:
                    await self._count_refusal(found)
                raise refusal.of(found.person if found else None) from None
            if found is None:  # `read_delivery` has refused it
                raise no_room()
            return await self._store(found, delivery)
        except StorageError:
            raise no_room() from None

    async def _find(self, secret: str) -> AddressedReceiver | None:
        row = await self.database.find(stored_receivers.ADDRESSED, digest=receiver_digest(secret))
        found = None if row is None else AddressedReceiver(**row)
        return found if found is not None and found.takes(self.now()) else None

    def _is_noted(self, found: AddressedReceiver) -> bool:
        """Say whether another delivery has nothing to note: a transaction less, for which others would wait."""
        if found.refused or found.last_at is None or self.now() - found.last_at >= NOTED_EVERY:
            return False
        return found.family != MEETINGS.name or found.state != "live" or found.proved_at is not None

    async def _count_refusal(self, found: StoredReceiver) -> None:
        async with self.database.begin() as connection:
            await stored_receivers.count_refusal(connection, found.receiver_digest)
            if found.family == MEETINGS.name and found.state == "live" and found.refused + 1 >= REFUSED_OFTEN:
                await stored_receivers.prove(connection, found.person, None)  # nothing it tells can be taken

    async def _store(self, found: AddressedReceiver, delivery: VerifiedDelivery) -> Accepted:
        arrival = told(delivery.event, delivery.created_at, delivery.payload, delivery.body, self.now())
        is_new = await self._batches.publish(self.feeds, found.person, arrival)
        if self._is_noted(found):
            return Accepted(found.person, delivery.event, is_new)
        async with self.database.begin() as connection:
            await stored_receivers.note_delivery(connection, found.receiver_digest, self.now())
            if found.family == MEETINGS.name and found.state == "live":
                await stored_receivers.prove(connection, found.person, self.now())
        return Accepted(found.person, delivery.event, is_new)
