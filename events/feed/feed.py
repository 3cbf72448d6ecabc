"""Publishes events exactly once, in the feed of a person, and reads them.

    publish   lock the feed, store by identity, give the next position, write deliveries, commit
    read      what came after a cursor, or the newest

What Calendly tells in two parts waits in the feed without a position: see `events.joining`.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from calendly.request import JSON
from events.feed import stored_events, stored_feeds
from events.feed.cursor import place_of
from events.feed.publishing import FanOut, Payloads, Publishing, to_nobody
from events.feed.stored_events import StoredEvent, Wanted, row_id
from events.feed.stored_feeds import Digests, StoredFeed
from events.identity import Arrival
from events.joining import Mark
from events.payload import without_invitee
from events.tables import feed_event, own_change, seen_event
from storage.connection import DatabaseConnection
from storage.database import Database
from storage.errors import UnreadableSecret
from storage.keys import KeyRing, RandomBytes
from storage.retention import purge

KEPT: Final = timedelta(days=30)
"""How long it is kept what events say."""

_KNOWN: Final = timedelta(days=400)
"""How long the bare identity of an event is kept, so that nothing old is told twice."""

_SEEN: Final = timedelta(days=5)
"""How long after its end it is known of a meeting what was seen of it: longer than looks list it."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEvent:
    """An event as it is read.

    Attributes:
        event_id: Its id.
        kind: Its kind.
        occurred_at: When it happened.
        position: Its place in the feed.
        invitee_digest: Its invitee, as the feed knows it.
        data: What is stored of it.
    """

    event_id: str
    kind: str
    occurred_at: datetime
    position: int
    invitee_digest: str | None
    data: JSON = field(repr=False)


class FeedPage(NamedTuple):
    """Events of a feed, oldest first.

    Attributes:
        events: They.
        head: The last position of the feed.
        has_more: More of them are there.
        is_truncated: What was asked for is not all there any more.
        position: After which to go on.
    """

    events: list[ReadEvent]
    head: int
    has_more: bool
    is_truncated: bool
    position: int


def _heard_by_nobody(*_: str) -> None:
    """Tell nobody of a new event: it is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """The feeds of all people.

    Attributes:
        database: Where they are.
        keyring: What payloads are sealed under.
        now: The wall clock.
        random: Unpredictable bytes.
        kept: How long payloads are kept.
        fan_out: Writes deliveries.
        published: Hears whose feed has a new event, once that is stored.
        queued: Hears that there is a delivery of it.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    now: Callable[[], datetime]
    random: RandomBytes
    kept: timedelta = KEPT
    fan_out: FanOut = to_nobody
    published: Callable[[str], object] = _heard_by_nobody
    queued: Callable[[], object] = _heard_by_nobody

    async def begin(self, person: str) -> StoredFeed:
        """Return the feed of a person; begin it where there is none. Raises StorageUnavailable."""
        found = await self.find(person)
        while found is None:
            async with self.database.begin() as connection:
                await stored_feeds.begin(connection, person, self.keyring, self.random, self.now())
            found = await self.find(person)
        return found

    async def find(self, person: str) -> StoredFeed | None:
        """Return the feed of a person, None where there is none. Raises StorageUnavailable."""
        async with self.database.read() as connection:
            return await stored_feeds.find(connection, person)

    async def is_empty(self) -> bool:
        """Say whether nobody has a feed. Raises StorageUnavailable."""
        async with self.database.read() as connection:
            return not await stored_feeds.find_of(connection, None)

    async def publish_all(self, person: str, arrivals: Sequence[Arrival]) -> list[Arrival]:
        """Publish what is not there yet, in this order, one transaction each. Returns what was new.

        Raises StorageUnavailable; what was published before stays.
        """
        rows = {row_id(person, arrival.event_id): arrival for arrival in arrivals}
        async with self.database.read() as connection:
            known = await stored_events.published(connection, rows.keys())
        missing = [arrival for row, arrival in rows.items() if row not in known]
        return [arrival for arrival in missing if await self.publish(person, arrival)]

    async def publish(self, person: str, arrival: Arrival) -> bool:
        """Store what happened, once; whether an event was published by it. A person without feed stores nothing.

        Raises StorageUnavailable.
        """
        (is_published,) = await self.publish_together(person, [arrival])
        return is_published

    async def publish_together(self, person: str, arrivals: Sequence[Arrival]) -> list[bool]:
        """Store what happened in one transaction, in this order; by which of it an event was published.

        Raises StorageUnavailable; nothing was stored then.
        """
        async with self.database.begin() as connection:
            found = await stored_feeds.hold_for(connection, person, len(arrivals))
            if found is None:
                return [False] * len(arrivals)
            publishing = self._publishing(connection, found, len(arrivals))
            are_published = await publishing.take_all(arrivals)
        if any(are_published):
            self._tell(publishing)
        return are_published

    async def publish_waiting(self, waiting: StoredEvent) -> bool:
        """Publish a half that waited in vain with what is known of it, unless the other came meanwhile."""
        async with self.database.begin() as connection:
            found = await stored_feeds.hold(connection, waiting.person)
            row = await stored_events.find(connection, waiting.id)
            if found is None or row is None or row.position is not None:
                return False
            publishing = self._publishing(connection, found)
            await publishing.put_alone(replace(self.payloads.arrival_of(row), half=None), row)
        self._tell(publishing)
        return True

    async def read(self, person: str, wanted: Wanted, cursor: str | None = None) -> FeedPage:
        """Read what came after a cursor, without one the newest. Raises StorageUnavailable."""
        async with self.database.read() as connection:
            found = await stored_feeds.find(connection, person)
            if found is None:
                return FeedPage([], 0, has_more=False, is_truncated=cursor is not None, position=0)
            if cursor is None:
                rows = await stored_events.newest(connection, found, wanted)
                return FeedPage(self._opened(rows), found.head, has_more=False, is_truncated=False, position=found.head)
            oldest = await stored_events.oldest(connection, person)
            place = place_of(cursor, epoch=found.epoch, head=found.head, oldest=oldest)
            rows = await stored_events.after(connection, found, place.position, wanted)
        has_more = len(rows) > wanted.count
        rows = rows[: wanted.count]
        position = (rows[-1].position if has_more else None) or found.head
        events = self._opened(rows)
        return FeedPage(events, found.head, has_more=has_more, is_truncated=place.is_truncated, position=position)

    async def find_event(self, person: str, event_id: str) -> ReadEvent | None:
        """Return one event of a person, None where there is none or it says nothing any more."""
        return await self.find_row(row_id(person, event_id))

    async def find_row(self, row: str) -> ReadEvent | None:
        """Return the event of a row, None where there is none or it says nothing any more."""
        async with self.database.read() as connection:
            found = await stored_events.find(connection, row)
        return next(iter(self._opened([found])), None) if found is not None else None

    async def marks(self, person: str, invitee: str) -> list[Mark]:
        """Return the no-show marks of an invitee that are known, and their ends."""
        found = await self.find(person)
        if found is None:
            return []
        digest = Digests.of(found, self.keyring).of_text(invitee)
        async with self.database.read() as connection:
            rows = await stored_events.marks(connection, person, [digest])
        return [self.payloads.mark_of(row) for row in rows if row.position is not None]

    async def forget(self, people: Collection[str] | None, addresses: Collection[str]) -> None:
        """Take the invitees with these addresses out of the events of people. Raises StorageUnavailable.

        Args:
            people: Whose events, None for everybody's.
            addresses: E-mail addresses.
        """
        async with self.database.read() as connection:
            feeds = await stored_feeds.find_of(connection, people)
        for found in feeds:
            digests = Digests.of(found, self.keyring)
            wanted = [digests.of_text(address.lower()) for address in addresses]
            async with self.database.read() as connection:
                rows = await stored_events.with_addresses(connection, found.person, wanted)
            for row in rows:
                await self._forget(found.person, row.id)

    async def retain(self) -> None:
        """Drop what is past its time. Raises StorageUnavailable."""
        now, more = self.now(), True
        while more:
            async with self.database.begin() as connection:
                more = await stored_events.drop_old_payloads(connection, now)
        await purge(self.database, [feed_event.c.stored_at], now=now - _KNOWN)
        await purge(self.database, [seen_event.c.ends_at], now=now - _SEEN)
        await purge(self.database, [own_change.c.valid_until], now=now)

    @property
    def payloads(self) -> Payloads:
        """Opens and seals what events say."""
        return Payloads(self.keyring)

    def _publishing(self, connection: DatabaseConnection, found: StoredFeed, given: int = 0) -> Publishing:
        feed = replace(found, head=found.head - given)
        return Publishing(connection, feed, found.head, self.payloads, self.now(), self.kept, self.fan_out)

    def _tell(self, publishing: Publishing) -> None:
        self.published(publishing.feed.person)
        if publishing.has_deliveries:
            self.queued()

    def _opened(self, rows: Sequence[StoredEvent]) -> list[ReadEvent]:
        return [
            ReadEvent(
                event_id=row.event_id,
                kind=row.kind,
                occurred_at=row.occurred_at,
                position=row.position,
                invitee_digest=row.invitee_digest,
                data=data,
            )
            for row in rows
            if row.position is not None and (data := self._data(row)) is not None
        ]

    def _data(self, row: StoredEvent) -> JSON | None:
        try:
            return self.payloads.opened(row)
        except UnreadableSecret as fault:
            _log.warning("the event %s is left out: %s", row.event_id, fault)
            return None

    async def _forget(self, person: str, row_name: str) -> None:
        async with self.database.begin() as connection:
            await stored_feeds.hold(connection, person)  # its other half may come at this moment
            row = await stored_events.find(connection, row_name)
            data = self.payloads.opened(row) if row else None
            if data is not None:
                await stored_events.forget(
                    connection, row_name, self.payloads.sealed(without_invitee(data), row_name), self.now()
                )
