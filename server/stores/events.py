"""What happened in people's accounts, as this process reads and learns it."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Self

from events.feed.empty_polls import EmptyPollCounts
from events.feed.feed import Feeds
from events.feed.own_changes import OwnChanges
from events.looks.looks import Looks
from events.outgoing.listeners import FeedListeners
from events.outgoing.stored_deliveries import fan_out
from server.stores.faults import best_effort
from server.stores.idempotency import colleagues
from storage.database import Database
from storage.errors import StorageUnavailable
from storage.keys import KeyRing

_NAME_BYTES: Final = 16


_PAUSE: Final = 60.0
"""Between two times that what is past its time is dropped, in seconds."""

_log: Final = logging.getLogger(__name__)


def feeds_in(database: Database, keyring: KeyRing, now: Callable[[], datetime], days: int) -> Feeds:
    """Return the feeds in a database, which keep what events say for so many days."""
    kept = timedelta(days=days)
    return Feeds(database=database, keyring=keyring, now=now, random=os.urandom, kept=kept, fan_out=fan_out)


@dataclass(frozen=True, slots=True)
class EventStore:
    """The feeds of all people, and what fills and marks them.

    Attributes:
        feeds: The feeds.
        looks: Looks at Calendly for them.
        own_changes: What agents did themselves.
        queued: Set when there is a new event to deliver.
        listeners: Who listens in this process.
        empty_polls: Counts polls that found nothing.
    """

    feeds: Feeds
    looks: Looks
    own_changes: OwnChanges
    queued: asyncio.Event
    listeners: FeedListeners
    empty_polls: EmptyPollCounts

    @classmethod
    def over(
        cls, database: Database, keyring: KeyRing, now: Callable[[], datetime], days: int, stack: AsyncExitStack
    ) -> Self:
        """Make it over a database.

        Args:
            database: A migrated one.
            keyring: Seals what events say.
            now: The wall clock.
            days: How long that is kept.
            stack: Ends the looks that are running.
        """
        queued, listeners = asyncio.Event(), FeedListeners(database, now)
        feeds = replace(feeds_in(database, keyring, now, days), published=listeners.wake, queued=queued.set)
        looks = Looks(feeds=feeds, owner=os.urandom(_NAME_BYTES).hex(), sleep=asyncio.sleep)
        stack.push_async_callback(looks.close)
        return cls(feeds, looks, OwnChanges(feeds, now), queued, listeners, EmptyPollCounts(database, now))

    async def forget(self, grant: str | None, addresses: Collection[str]) -> None:
        """Keep nothing of invitees with these addresses, in the events of anybody in the organization.

        What cannot be changed is logged, and ends with its time.

        Args:
            grant: Somebody of the organization gave it; without one all are meant.
            addresses: E-mail addresses.
        """
        async with best_effort("stored events could not be forgotten"):
            people = None
            if grant is not None:
                async with self.feeds.database.read() as connection:
                    people = (await connection.execute(colleagues(grant))).scalars().all()
            await self.feeds.forget(people, addresses)


async def keep_events(feeds: Feeds, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Drop what is past its time every minute, until cancelled. `sleep` waits for a number of seconds."""
    while True:
        await sleep(_PAUSE)
        try:
            await feeds.retain()
        except StorageUnavailable as error:
            _log.info("old events will be dropped later: %s", error)
