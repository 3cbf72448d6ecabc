"""Ends subscriptions whose grant may not have their events any more, and deletes what is past its time."""

import logging
from dataclasses import dataclass
from typing import Final

import anyio

from events.outgoing.endings import Endings
from events.outgoing.standing import EventStandings
from events.outgoing.stored_deliveries import KEPT_DONE
from events.outgoing.stored_subscriptions import KEPT_EXPIRED, StoredSubscription, forget_former_secrets
from events.tables import event_delivery, event_subscription, verified_callback
from storage.errors import StorageUnavailable, UnreadableSecret
from storage.retention import purge

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SubscriptionSweep:
    """What is done about subscriptions every minute.

    Attributes:
        endings: Ends them.
        standings: Tells what grants may see.
    """

    endings: Endings
    standings: EventStandings

    async def __call__(self) -> None:
        """Sweep once. Raises StorageUnavailable."""
        database, now = self.endings.database, self.endings.now()
        async with database.begin() as connection:
            await forget_former_secrets(connection, now)
        await purge(database, [event_subscription.c.expires_at], now=now - KEPT_EXPIRED)
        await purge(database, [event_delivery.c.done_at], now=now - KEPT_DONE)
        await purge(database, [verified_callback.c.valid_until], now=now)
        faults: list[StorageUnavailable] = []
        async with anyio.create_task_group() as tasks:  # whose end lets each transaction end too
            for subscription, why in await self._over():
                tasks.start_soon(self._end, subscription, why, faults)
        if faults:
            raise faults[0]

    async def _over(self) -> list[tuple[StoredSubscription, str]]:
        """Return what may not go on, and why."""
        async with self.endings.database.read() as connection:
            subscriptions = await self.endings.rows.every(connection)
        over: list[tuple[StoredSubscription, str]] = []
        for subscription in subscriptions:
            try:
                standing = await self.standings.of(subscription.grant, subscription.name)
            except UnreadableSecret as fault:
                _log.warning("whether the subscription %s may go on cannot be read: %s", subscription.id, fault)
                continue
            refusal = "access" if standing is None else standing.refusal
            if refusal is not None:
                over.append((subscription, refusal))
        return over

    async def _end(self, subscription: StoredSubscription, why: str, faults: list[StorageUnavailable]) -> None:
        """End a subscription once there is room to tell its callback; what the database refuses goes to the faults."""
        try:
            async with self.endings.in_flight.one(subscription.host):
                await self.endings.end(subscription, why)
        except StorageUnavailable as fault:
            faults.append(fault)
