"""Looks that nobody asked for, on a hosted server: for people whose agents want to be told, and for halves that wait.

Every few seconds one round: halves whose wait is over are completed or published, and the people who
are due are looked at, the longest due first. How often somebody is due follows from who listens, from
whether a webhook tells, and from when something happened last.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import anyio

from calendly.errors import CalendlyError
from events.feed import stored_events, stored_feeds
from events.feed.stored_feeds import LOOKING_BACK
from events.looks import stored_looks
from events.looks.looks import Looks, PersonAccess
from events.looks.stored_looks import DueLook
from storage.errors import StorageUnavailable, UnreadableSecret

_ROUND: Final = 5.0
"""Between two rounds, in seconds."""

_AT_ONCE: Final = 8
_MOST_HALVES: Final = 50

_UNREADABLE: Final = timedelta(minutes=15)
"""After which a person is tried again whose connection to Calendly does not work."""

_PACES: Final = (
    (timedelta(hours=1), timedelta(seconds=60)),
    (timedelta(hours=6), timedelta(minutes=2)),
)
"""How often somebody is looked at, by how long ago something happened last."""

_SLOWEST: Final = timedelta(minutes=5)
_BESIDE_WEBHOOK: Final = timedelta(hours=6)

_log: Final = logging.getLogger(__name__)


def pace(*, is_listened: bool, is_proved: bool, quiet_for: timedelta) -> timedelta:
    """Return how long after a look the next one is due.

    Args:
        is_listened: An agent of the person wants to be told.
        is_proved: A webhook tells.
        quiet_for: How long ago something happened last, or the feed began.
    """
    if is_proved or not is_listened:
        return _BESIDE_WEBHOOK
    return next((every for within, every in _PACES if quiet_for < within), _SLOWEST)


@dataclass(frozen=True, slots=True)
class BackgroundLooks:
    """The looks in the background of a process.

    Attributes:
        looks: Looks at Calendly.
        access: Gives a person's connection to Calendly.
    """

    looks: Looks
    access: Callable[[str], PersonAccess]

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Look until cancelled. `sleep` waits for a number of seconds."""
        while True:
            await sleep(_ROUND)
            try:
                await self.round()
            except StorageUnavailable as error:
                _log.info("looks at Calendly will be tried again: %s", error)

    async def round(self) -> None:
        """Complete the halves whose wait is over, and look at who is due. Raises StorageUnavailable."""
        feeds = self.looks.feeds
        async with feeds.database.read() as connection:
            halves = await stored_events.overdue(connection, feeds.now(), _MOST_HALVES)
            due = await stored_looks.due(connection, feeds.now(), _AT_ONCE)
        for person in dict.fromkeys(half.person for half in halves):
            await self._settle(person)
        async with anyio.create_task_group() as looks:  # which lets a transaction end when it is cancelled
            for each in due:
                looks.start_soon(self._try, each)

    async def _settle(self, person: str) -> None:
        found = await self.looks.feeds.find(person)
        if found is None:
            return
        try:
            await self.looks.settle(found, self.access(person))
        except UnreadableSecret as fault:
            _log.warning("What waits in a feed cannot be read: %s", fault)

    async def _try(self, due: DueLook) -> None:
        try:
            await self._look(due)
        except StorageUnavailable as error:
            _log.info("a look at Calendly will be tried again: %s", error)

    async def _look(self, due: DueLook) -> None:
        feeds = self.looks.feeds
        found = await feeds.find(due.person)
        if found is None:
            return
        try:
            rereads = due.wants_no_shows and found.proved_at is None
            await self.looks.look(found, self.access(due.person), rereads=rereads)
        except (CalendlyError, UnreadableSecret) as fault:
            _log.info("Calendly cannot be read for somebody: %s", fault)
            await self._next(due, _UNREADABLE)
            return
        quiet_for = feeds.now() - (due.last_news_at or found.since + LOOKING_BACK)
        found = await feeds.find(due.person)
        is_proved = found is not None and found.proved_at is not None
        await self._next(due, pace(is_listened=due.is_listened, is_proved=is_proved, quiet_for=quiet_for))

    async def _next(self, due: DueLook, after: timedelta) -> None:
        async with self.looks.feeds.database.begin() as connection:
            await stored_feeds.schedule(connection, due.person, self.looks.feeds.now() + after)
