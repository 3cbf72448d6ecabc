"""Ends subscriptions: what is on its way goes at once, the callback is told once, and the row goes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from events.outgoing.callback_urls import CallbackRules
from events.outgoing.callbacks import Addressee, CallbackPoster
from events.outgoing.posts_in_flight import PostsInFlight
from events.outgoing.standing import EventNote, Noted, Refusal
from events.outgoing.stored_deliveries import delete_deliveries
from events.outgoing.stored_subscriptions import StoredSubscription, SubscriptionRows, delete_expired, expire
from events.outgoing.wire import TERMINATED, EventsRefusal, Meaning, WireProfile
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
        now: The present.
        in_flight: What this process posts now.
    """

    database: Database
    rows: SubscriptionRows = field(repr=False)
    poster: CallbackPoster
    rules: CallbackRules
    profile: WireProfile
    noted: Noted
    now: Callable[[], datetime]
    in_flight: PostsInFlight = field(default_factory=PostsInFlight)

    async def end(self, subscription: StoredSubscription, why: Refusal | str, agent: str = "") -> None:
        """End a subscription. Its callback is told by whoever comes first. Raises StorageUnavailable.

        Args:
            subscription: The subscription.
            why: Why it ends.
            agent: What its agent is called.
        """
        now = self.now()
        async with self.database.begin() as connection:
            await delete_deliveries(connection, [subscription.id])
            is_mine = await expire(connection, subscription.id, now)
        if is_mine:
            await self._part(subscription, why, agent)
        async with self.database.begin() as connection:
            await delete_expired(connection, subscription.id, self.now())

    async def _part(self, subscription: StoredSubscription, why: str, agent: str) -> None:
        """Note that a subscription ends, and tell its callback."""
        message = _WHY[why]
        await self.noted.note(
            EventNote(
                action="end_subscription",
                told=f"Ended the subscription of {{agent}} to {subscription.name!r} of {{person}} "
                f"at {subscription.host}: {message}",
                person=subscription.person,
                agent=agent,
                grant=subscription.grant,
                by_operator=why == "operator",
            )
        )
        await self._tell(subscription, message)

    async def end_by_id(self, subscription: str, *, grant: str | None = None, agent: str = "") -> bool:
        """End a subscription that its person, or the operator, no longer wants. Returns whether there was one.

        Raises StorageUnavailable.

        Args:
            subscription: Its id.
            grant: Its person wants it ended, and it has to be of this agent; None where the operator does.
            agent: What its agent is called.
        """
        async with self.database.read() as connection:
            found = await self.rows.find(connection, subscription)
        if found is None or grant not in {None, found.grant}:
            return False
        await self.end(found, "operator" if grant is None else "person", agent)
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
