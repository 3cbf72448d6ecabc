"""Ends subscriptions whose grant may not have their events any more, and deletes what is past its time."""

from dataclasses import dataclass

from events.outgoing.endings import Endings
from events.outgoing.standing import EventStandings
from events.outgoing.stored_deliveries import KEPT_DONE
from events.outgoing.stored_subscriptions import KEPT_EXPIRED, forget_former_secrets
from events.tables import event_delivery, event_subscription, verified_callback
from storage.retention import purge


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
        async with database.read() as connection:
            subscriptions = await self.endings.rows.every(connection)
        for subscription in subscriptions:
            standing = await self.standings.of(subscription.grant, subscription.name)
            if standing is None or standing.refusal is not None:
                why = standing.refusal if standing and standing.refusal else "access"
                await self.endings.end(subscription, why, standing.agent if standing else "")
        async with database.begin() as connection:
            await forget_former_secrets(connection, now)
        await purge(database, [event_subscription.c.expires_at], now=now - KEPT_EXPIRED)
        await purge(database, [event_delivery.c.done_at], now=now - KEPT_DONE)
        await purge(database, [verified_callback.c.valid_until], now=now)
