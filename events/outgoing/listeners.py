"""Who listens now to the feeds of people: woken by a publication here at once, by one elsewhere within a second.

That somebody listens is also noted at the feed, so that whichever replica looks at Calendly keeps the pace.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from events.feed import stored_feeds
from events.outgoing.subscribing import exhausted
from storage.database import Database
from storage.errors import StorageUnavailable

MOST_OF_GRANT: Final = 4
MOST_OF_PROCESS: Final = 200
"""How many of an agent, and of all agents, may listen in a process at a time."""

CHECK_EVERY: Final = 30.0
"""How often a listener asks whether it still may, in seconds; as often it is noted that somebody listens."""

_READ_EVERY: Final = 0.5
"""How often it is read what other replicas have published, in seconds."""

_NOTED_FOR: Final = timedelta(seconds=75)
"""For how long it is noted that somebody listens: a process that dies listens no more."""

_log: Final = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class FeedListener:
    """An agent that listens to the feed of its person.

    Attributes:
        person: Whose feed.
        woken: Set when there may be something new, or the process stops.
    """

    person: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class FeedListeners:
    """The listeners of a process.

    Attributes:
        database: Where feeds are.
        now: The wall clock.
        is_closed: The process stops.
    """

    database: Database
    now: Callable[[], datetime]
    is_closed: bool = False
    _open: dict[FeedListener, str] = field(default_factory=dict[FeedListener, str])
    _somebody: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def opened(self, person: str, grant: str) -> Generator[FeedListener]:
        """Listen until the block is left. Raises EventsRefusal, ResourceExhausted, where too many do."""
        of_grant, of_all = Counter(self._open.values())[grant], len(self._open)
        limits = ((of_grant, MOST_OF_GRANT, "This agent"), (of_all, MOST_OF_PROCESS, "This server"))
        for count, most, whose in limits:
            if count >= most:
                raise exhausted("listens", most, f"{whose} has {most} open listens, which is the most. End one first.")
        listener = FeedListener(person)
        if self.is_closed:  # a request that came while the process stops
            listener.woken.set()
        self._open[listener] = grant
        self._somebody.set()
        try:
            yield listener
        finally:
            del self._open[listener]
            if not self._open:
                self._somebody.clear()

    def wake(self, person: str) -> None:
        """Wake who listens to the feed of a person."""
        for listener in self._open:
            if listener.person == person:
                listener.woken.set()

    def close(self) -> None:
        """Have everybody stop listening."""
        self.is_closed = True
        for listener in self._open:
            listener.woken.set()

    async def began(self, person: str) -> None:
        """Note that somebody listens to the feed of a person, and have it looked at soon. Raises StorageUnavailable."""
        now = self.now()
        async with self.database.begin() as connection:
            await stored_feeds.listen(connection, [person], now + _NOTED_FOR)
            await stored_feeds.hasten(connection, person, now)

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Read until cancelled, while anybody listens, what other replicas publish. `sleep` waits for seconds."""
        rounds, heads = 0, dict[str, int]()
        while True:
            await self._somebody.wait()
            await sleep(_READ_EVERY)
            rounds += 1
            try:
                heads = await self._read(heads)
                if rounds >= CHECK_EVERY / _READ_EVERY:
                    rounds = 0
                    async with self.database.begin() as connection:
                        await stored_feeds.listen(connection, heads.keys(), self.now() + _NOTED_FOR)
            except StorageUnavailable as fault:
                _log.debug("what other replicas publish is read again: %s", fault)  # the database itself tells

    async def _read(self, before: dict[str, int]) -> dict[str, int]:
        """Read the heads of the feeds that are listened to, and wake who listens to one that has grown."""
        people = {listener.person for listener in self._open}
        async with self.database.read() as connection:
            heads = await stored_feeds.heads(connection, people)
        for person, head in heads.items():
            if before.get(person) != head:
                self.wake(person)
        return heads
