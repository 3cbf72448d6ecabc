"""Ends subscriptions: what is on its way goes at once, the callback is told once, and the row goes."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from events.outgoing.callback_urls import CallbackRules
from events.outgoing.callbacks import Addressee, CallbackPoster
from events.outgoing.posts_in_flight import PostsInFlight
from events.outgoing.standing import AgentNames, EventNote, Noted, Refusal
from events.outgoing.stored_deliveries import delete_deliveries
from events.outgoing.stored_subscriptions import StoredSubscription, SubscriptionRows, delete_expired, expire
from events.outgoing.wire import TERMINATED, EventsRefusal, Meaning, WireProfile
from storage.connection import DatabaseConnection
from storage.database import Database

_WHY: Final = {
    "access": "The agent may not have these events any more.",
    "scope": "The agent's sign-in does not cover these events any more.",
    "connection": "The person's connection to Calendly is gone.",
    "callback": "The operator of this server does not allow callbacks to this host any more.",
    "person": "The person ended this subscription.",
    "operator": "The operator of this server ended this subscription.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Endings:
    """Ends subscriptions.

    Attributes:
        database: Where they are.
        rows: Reads and writes them.
        poster: Tells their callbacks.
        rules: Which callbacks the operator allows.
        profile: Whose error codes are told.
        noted: The audit log.
        names: Finds what agents are called.
        now: The present.
        in_flight: What this process posts now.
    """

    database: Database
    rows: SubscriptionRows = field(repr=False)
    poster: CallbackPoster
    rules: CallbackRules
    profile: WireProfile
    noted: Noted
    names: AgentNames
    now: Callable[[], datetime]
    in_flight: PostsInFlight = field(default_factory=PostsInFlight)

    async def end(self, subscription: StoredSubscription, why: Refusal | str) -> None:
        """End a subscription. Its callback is told by whoever comes first. Raises StorageUnavailable."""
        async with self.database.begin() as connection:
            await delete_deliveries(connection, [subscription.id])
            agent = await self._expire(connection, subscription)
        if agent is not None:
            await self._part(subscription, why, agent)
        async with self.database.begin() as connection:
            await delete_expired(connection, subscription.id, self.now())

    async def take_of_person(
        self, connection: DatabaseConnection, person: str
    ) -> Sequence[tuple[StoredSubscription, str]]:
        """End the subscriptions of a person whose feed is deleted in the same transaction.

        Returns:
            Each with what its agent is called, to be given to `tell_all` once the transaction is committed.
        """
        found = [(one, await self._expire(connection, one)) for one in await self.rows.every(connection, person)]
        return [(one, agent) for one, agent in found if agent is not None]

    async def tell_all(self, ended: Sequence[tuple[StoredSubscription, str]]) -> None:
        """Note that subscriptions have ended with their person's last agent, and tell their callbacks."""

        async def tell(subscription: StoredSubscription, agent: str) -> None:
            async with self.in_flight.one(subscription.host):
                await self._part(subscription, "access", agent)

        await asyncio.gather(*[tell(*each) for each in ended])

    async def _expire(self, connection: DatabaseConnection, subscription: StoredSubscription) -> str | None:
        """Let a subscription expire. Returns what its agent is called, None where it was over already."""
        if not await expire(connection, subscription.id, self.now()):
            return None
        return (await self.names(connection, [subscription.grant])).get(subscription.grant, "")

    async def _part(self, subscription: StoredSubscription, why: str, agent: str) -> None:
        """Note that a subscription ends, and tell its callback."""
        message = _WHY[why]
        await self.noted.note(
            EventNote(
                action="end_subscription",
                told=f"{{agent}} is no longer posted events {subscription.name!r} about {{person}} "
                f"at {subscription.host}: {message[:1].lower()}{message[1:].rstrip('.')}",
                person=subscription.person,
                agent=agent,
                grant=subscription.grant,
                by_operator=why == "operator",
            )
        )
        await self._tell(subscription, message)

    async def end_by_id(self, subscription: str, *, grant: str | None = None) -> bool:
        """End a subscription that its person, or the operator, no longer wants. Returns whether there was one.

        Raises StorageUnavailable.

        Args:
            subscription: Its id.
            grant: Its person wants it ended, and it has to be of this agent; None where the operator does.
        """
        async with self.database.read() as connection:
            found = await self.rows.find(connection, subscription)
        if found is None or grant not in {None, found.grant}:
            return False
        await self.end(found, "operator" if grant is None else "person")
        return True

    async def _tell(self, subscription: StoredSubscription, message: str) -> None:
        """Tell a callback once that there will be nothing more, where it may be posted to."""
        try:
            to = self.rules.check(subscription.url)
        except EventsRefusal:
            return
        error = {"code": Meaning.FORBIDDEN.code(self.profile), "message": message}
        addressee = Addressee(to, subscription.secrets(self.now()), subscription.id)
        await self.poster.control(addressee, {"type": TERMINATED, "error": error})
