"""Looks at Calendly's API where no webhook tells, on demand: when somebody reads and the last look is old.

One replica looks at a time, and in a process everybody who asks waits for the same look. What a look
may cost is bounded; what is left of it is done by the next one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from calendly.errors import CalendlyError, CalendlyRefusal, InsufficientScope, Unauthenticated
from calendly.request import JSON, Request
from events.feed import stored_feeds
from events.feed.feed import Feeds
from events.feed.stored_feeds import FRESH, StoredFeed
from events.looks.looking import Exhausted, Look
from storage.errors import StorageUnavailable
from storage.scoped_tasks import ScopedTasks

_log: Final = logging.getLogger(__name__)

_PATIENCE: Final = 10.0
"""How long whoever reads waits for a look, in seconds."""

_LEASE: Final = timedelta(seconds=60)
"""How long a replica may look before another one does."""

_SHARE: Final = 10
"""One in so many of a person's requests a minute may be made by looks."""

_LEAST: Final = 2
"""So many a minute they may make in any case."""

_MINUTE: Final = timedelta(minutes=1)
_MOST_AT_ONCE: Final = 8
_RETRY: Final = timedelta(seconds=30)


class PersonAccess(Protocol):
    """A person's connection to Calendly, at low priority."""

    @property
    def per_minute(self) -> int:
        """How many requests a minute the person may make, as far as is known."""
        ...

    async def send(self, request: Request) -> JSON:
        """Send a request that reads. Raises CalendlyError."""
        ...


@dataclass(slots=True)
class _Spending:
    """The requests of one person's looks in the last minute.

    Attributes:
        access: Reads Calendly.
        now: The time.
        spent: When they were made.
    """

    access: PersonAccess
    now: Callable[[], datetime]
    spent: deque[datetime]

    async def send(self, request: Request) -> JSON:
        """Send a request where one is left. Raises CalendlyError and Exhausted."""
        now = self.now()
        while self.spent and not now - _MINUTE < self.spent[0] <= now:  # later: before the clock was set back
            self.spent.popleft()
        if len(self.spent) >= max(_LEAST, self.access.per_minute // _SHARE):
            raise Exhausted
        self.spent.append(now)
        return await self.access.send(request)


@dataclass(slots=True, kw_only=True)
class Looks:
    """The looks of a process.

    Attributes:
        feeds: The feeds.
        owner: Names the replica.
        sleep: Waits seconds.
    """

    feeds: Feeds
    owner: str
    sleep: Callable[[float], Awaitable[None]]
    _tasks: ScopedTasks = field(default_factory=ScopedTasks)
    _running: dict[str, asyncio.Task[None]] = field(default_factory=dict[str, asyncio.Task[None]])
    _spent: dict[str, deque[datetime]] = field(default_factory=dict[str, deque[datetime]])
    _not_before: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_AT_ONCE))

    async def on_demand(self, person: str, access: PersonAccess, *, rereads: bool) -> StoredFeed:
        """Look where the last look is old and no webhook tells, and return the feed of the person.

        It waits 10 s at most; the look then goes on.

        Args:
            person: Whose feed.
            access: Reads Calendly as them.
            rereads: Somebody wants to know of no-shows.

        Raises:
            Unauthenticated, InsufficientScope: Calendly cannot be read for this person.
            StorageUnavailable: The database failed.
        """
        found, now = await self.feeds.begin(person), self.feeds.now()
        is_fresh = found.checked_at is not None and abs(now - found.checked_at) < FRESH
        if found.proved_at is not None or is_fresh or self._not_before.get(person, now) > now:
            return found
        look = self._running.get(person)
        if look is None:
            look = self._running[person] = self._tasks.begin(self.look(found, access, rereads=rereads))
            look.add_done_callback(lambda ended: self._ended(person, ended))
        patience = asyncio.ensure_future(self.sleep(_PATIENCE))
        await asyncio.wait({look, patience}, return_when=asyncio.FIRST_COMPLETED)
        patience.cancel()
        if look.done() and not look.cancelled():
            look.result()
        return await self.feeds.begin(person)

    async def look(self, found: StoredFeed, access: PersonAccess, *, rereads: bool) -> None:
        """Look once, unless another replica does. Raises as `on_demand`."""
        person = found.person
        async with self._room:
            until = self.feeds.now() + _LEASE
            async with self.feeds.database.begin() as connection:
                if not await stored_feeds.take_lease(connection, person, self.owner, self.feeds.now(), until):
                    return
            look = self._made(found, access, rereads=rereads)
            is_over = False
            try:
                is_over = await self._run(look)
            finally:
                await self._end(look, is_over=is_over)

    async def settle(self, found: StoredFeed, access: PersonAccess) -> None:
        """Complete the halves of a person whose wait is over. Raises StorageUnavailable.

        Where Calendly cannot be read they are published when they have waited long enough.
        """
        look = self._made(found, access, rereads=False)
        await look.settle(self.feeds.now())

    async def close(self) -> None:
        """End the looks that are running."""
        self._tasks.stop()
        await self._tasks.late()

    def _ended(self, person: str, look: asyncio.Task[None]) -> None:
        """Let the next look begin. Whoever waits is told why this one failed; nobody may be left who does."""
        self._running.pop(person, None)
        fault = None if look.cancelled() else look.exception()
        if fault is not None:
            _log.info("A look at Calendly failed: %s", getattr(fault, "reason", type(fault).__name__))

    def _made(self, found: StoredFeed, access: PersonAccess, *, rereads: bool) -> Look:
        spent = self._spent.setdefault(found.person, deque())
        return Look(self.feeds, found, _Spending(access, self.feeds.now, spent), self.feeds.now, rereads)

    async def _run(self, look: Look) -> bool:
        """Run a look; whether it came to its end. Raises Unauthenticated, InsufficientScope, StorageUnavailable."""
        try:
            await look.run()
        except Exhausted:
            return False
        except (Unauthenticated, InsufficientScope):
            raise
        except CalendlyError as fault:
            seconds = fault.retry_after if isinstance(fault, CalendlyRefusal) else None
            pause = _RETRY if seconds is None else timedelta(seconds=seconds)
            self._not_before[look.feed.person] = self.feeds.now() + pause
            _log.info("A look at Calendly ended early: %s", fault.reason)
            return False
        return True

    async def _end(self, look: Look, *, is_over: bool) -> None:
        checked_at = self.feeds.now() if is_over else None
        with suppress(StorageUnavailable):  # the lease ends by itself
            async with self.feeds.database.begin() as connection:
                await stored_feeds.end_lease(
                    connection, look.feed.person, self.owner, checked_at=checked_at, continues_at=look.continues_at
                )
