"""Delivers events to callbacks: claims what is due, asks anew who may have it, posts it, and marks what came of it.

A process that dies between the post and the mark repeats one post under the same id. Any replica
may deliver; no transaction is open while something is posted.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import anyio

from events.feed import stored_feeds
from events.feed.cursor import Cursor
from events.outgoing.callbacks import Addressee, CallbackAnswer, compact
from events.outgoing.contents import EventContents
from events.outgoing.endings import Endings
from events.outgoing.retrying import Attempts, is_suspended, next_attempt, outcome
from events.outgoing.standing import EventAction, EventNote, EventStanding, EventStandings
from events.outgoing.stored_deliveries import (
    FOR_GOOD,
    Claimed,
    claim_due,
    give_up_all,
    is_any_due,
    mark,
    mark_done,
    outstanding_positions,
)
from events.outgoing.stored_subscriptions import StoredSubscription, note_arrival, note_failure, suspend
from events.outgoing.subscribing import watermark
from events.outgoing.wire import EventsRefusal, event_message_id
from storage.errors import StorageUnavailable, UnreadableSecret
from storage.scoped_tasks import ScopedTasks

_PAUSE: Final = 5.0
"""How long to wait for a publication before looking for what is due, in seconds."""

_STOPPING: Final = 10.0
"""How long posts under way may take when the process stops, in seconds."""

_WAITING: Final = timedelta(minutes=15)
_WAITED_ENOUGH: Final = timedelta(hours=24)
_CLAIM_BYTES: Final = 16
_ORDINALS: Final = ("1st", "2nd", "3rd")

_POSTED: Final = "Posted the event {kind} about {person} to {agent} at {host}"
_GAVE_UP: Final = "Gave up posting the event {kind} about {person} to {agent} at {host}"
_SUSPENDED: Final = (
    "Suspended posting events {{kind}} about {{person}} to {{agent}} at {{host}}, as nothing gets through: "
    "{others} on their way are given up"
)

_Told = tuple[EventAction, str]
"""An entry of the audit log: the action, and the sentence."""

_log: Final = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Deliverer:
    """Delivers what is due.

    Attributes:
        endings: Ends subscriptions; its database, poster and rules are those of deliveries.
        contents: Reads events.
        standings: Tells what grants may see.
        now: The present.
        sleep: Lets seconds pass.
        random_bytes: Makes unpredictable bytes.
        random: Makes numbers from 0 to 1.
        woken: Set when there is something to deliver.
    """

    endings: Endings
    contents: EventContents
    standings: EventStandings
    now: Callable[[], datetime]
    sleep: Callable[[float], Awaitable[None]]
    random_bytes: Callable[[int], bytes]
    random: Callable[[], float]
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    _posts: ScopedTasks = field(default_factory=ScopedTasks)

    async def run(self) -> None:
        """Deliver until cancelled; then posts under way get 10 seconds."""
        try:
            while True:
                await self._rest()
                self.woken.clear()
                while await self._begin_due():
                    pass
        finally:
            await self._finish()

    async def claim(self) -> list[Claimed]:
        """Claim what is due, as much as this process can post. Raises StorageUnavailable."""
        room = self.endings.in_flight.room
        async with self.endings.database.read() as connection:
            if room.left <= 0 or not await is_any_due(connection, self.now()):
                return []
        async with self.endings.database.begin() as connection:
            return await claim_due(connection, self.now(), self.random_bytes(_CLAIM_BYTES).hex(), room)

    async def attempt(self, claimed: Claimed) -> None:
        """Make one attempt to deliver. Raises StorageUnavailable, after which it is due again in 30 seconds."""
        try:
            await self._attempt(claimed)
        except UnreadableSecret as fault:
            _log.warning("what goes to the subscription %s waits: %s", claimed.subscription, fault)
            await self._postpone(claimed)

    async def _attempt(self, claimed: Claimed) -> None:
        async with self.endings.database.read() as connection:
            subscription = await self.endings.rows.find(connection, claimed.subscription)
        if subscription is None:  # it has ended, with its deliveries, or cannot be opened
            await self._postpone(claimed)
            return
        if subscription.is_over(self.now()) or subscription.state != "active":
            await self._give_up(claimed, subscription, "the subscription is over")
            return
        standing = await self.standings.of(subscription.grant, subscription.name)
        if standing is None or standing.refusal is not None or standing.person != subscription.person:
            why = (standing and standing.refusal) or "access"
            await self.endings.end(subscription, why)
        elif standing.waits:
            await self._postpone(claimed, subscription)
        else:
            await self._deliver(claimed, subscription, standing)

    async def _deliver(self, claimed: Claimed, subscription: StoredSubscription, standing: EventStanding) -> None:
        try:
            to = self.endings.rules.check(subscription.url)
        except EventsRefusal:
            await self.endings.end(subscription, "callback")
            return
        content = await self.contents.of(claimed.event, standing)
        if content is None:
            await self._give_up(claimed, subscription, "it says nothing any more", FOR_GOOD)
            return
        body = compact({**content, "cursor": await self._cursor(claimed, subscription)})
        message = event_message_id(self.endings.profile, content["eventId"], claimed.id)
        addressee = Addressee(to, subscription.secrets(self.now()), subscription.id)
        answer = await self.endings.poster.post(addressee, message, body)
        for action, told in await self._settle(claimed, subscription, answer):
            await self._note(subscription, action, told, standing.agent)

    async def _settle(self, claimed: Claimed, subscription: StoredSubscription, answer: CallbackAnswer) -> list[_Told]:
        """Mark what came of a post. Returns what is to be noted of it."""
        now = self.now()
        word = "failed" if answer.status is None else outcome(answer.status)
        came = f": {answer.status or answer.error} at the {_ordinal(claimed.attempts)} attempt"
        async with self.endings.database.begin() as connection:
            if word == "arrived":
                is_ours = await mark_done(connection, claimed, "arrived", now)
                await note_arrival(connection, subscription.id, now)
                return [("deliver_event", _POSTED + came)] if is_ours else []
            made = Attempts(claimed.first_at, claimed.attempts)
            due = None if word == "refused" else next_attempt(made, now, self.random(), answer.asked_for)
            error = FOR_GOOD if word == "refused" else answer.error
            if due is None:
                is_ours = await mark_done(connection, claimed, "given up", now, error)
            else:
                is_ours = await mark(connection, claimed, due_at=due, error=error)
            told: list[_Told] = [("deliver_event", _GAVE_UP + came)] if is_ours and due is None else []
            failed = await note_failure(connection, subscription.id, answer.error or "", now)
            if failed is not None and is_suspended(*failed, now) and await suspend(connection, subscription.id):
                others = await give_up_all(connection, subscription.id, now)
                told.append(("suspend_subscription", _SUSPENDED.format(others=others)))
        return told

    async def _give_up(
        self, claimed: Claimed, subscription: StoredSubscription, why: str, error: str | None = None
    ) -> None:
        async with self.endings.database.begin() as connection:
            is_ours = await mark_done(connection, claimed, "given up", self.now(), error)
        if is_ours:
            await self._note(subscription, "deliver_event", f"{_GAVE_UP}: {why}")

    async def _postpone(self, claimed: Claimed, subscription: StoredSubscription | None = None) -> None:
        """Try again later, without counting: the person has to sign in at Calendly again, or a key is lost."""
        now = self.now()
        if now - claimed.queued_at < _WAITED_ENOUGH:
            async with self.endings.database.begin() as connection:
                await mark(connection, claimed, due_at=now + _WAITING, attempts=0, first_at=None)
        elif subscription is not None:
            await self._give_up(claimed, subscription, "the person has not signed in at Calendly again within a day")
        else:
            async with self.endings.database.begin() as connection:
                await mark_done(connection, claimed, "given up", now)

    async def _cursor(self, claimed: Claimed, subscription: StoredSubscription) -> str | None:
        """Return the subscription's watermark, for which this event counts as arrived."""
        async with self.endings.database.read() as connection:
            place = await stored_feeds.find(connection, subscription.person)
            others = await outstanding_positions(connection, subscription.id, but=claimed.id)
        return str(Cursor(place.epoch, watermark(others, place.head))) if place else None

    async def _note(
        self, subscription: StoredSubscription, action: EventAction, told: str, agent: str | None = None
    ) -> None:
        """Note what came of a delivery. `agent` is what it is called, None where that has to be found."""
        if agent is None:
            async with self.endings.database.read() as connection:
                agent = (await self.endings.names(connection, [subscription.grant])).get(subscription.grant, "")
        note = EventNote(
            action=action,
            told=told.replace("{kind}", repr(subscription.name)).replace("{host}", subscription.host),
            person=subscription.person,
            agent=agent,
            grant=subscription.grant,
        )
        await self.endings.noted.note(note)

    async def _begin_due(self) -> bool:
        """Begin what is due, and return whether there was any."""
        try:
            claimed = await self.claim()
        except StorageUnavailable as fault:
            _log.info("deliveries will be looked for again: %s", fault)  # the database itself tells that it fails
            return False
        for delivery in claimed:
            self.endings.in_flight.begin(delivery.host)
            self._posts.begin(self._attempted(delivery))
        return bool(claimed)

    async def _attempted(self, claimed: Claimed) -> None:
        try:
            await self.attempt(claimed)
        except StorageUnavailable as fault:
            _log.info("a delivery will be tried again: %s", fault)
        except Exception:  # noqa: BLE001 - logged, and tried again in 30 seconds
            _log.exception("a delivery failed by a fault of this server")
        finally:
            self.endings.in_flight.end(claimed.host)
            self.woken.set()

    async def _rest(self) -> None:
        """Wait until something is queued, a post is over, or 5 seconds have passed."""
        waits = {asyncio.ensure_future(self.woken.wait()), asyncio.ensure_future(self.sleep(_PAUSE))}
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _finish(self) -> None:
        """Let posts under way end. What takes longer is broken off, and claimed elsewhere once its claim is over."""
        with anyio.CancelScope(shield=True):
            if await self._posts.late(_STOPPING):
                self._posts.stop()
                await self._posts.late()


def _ordinal(number: int) -> str:
    return _ORDINALS[number - 1] if number <= len(_ORDINALS) else f"{number}th"
