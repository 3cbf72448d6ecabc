"""A person with a feed, agents with subscriptions, and a callback that notes what it is sent."""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert, select

from events.feed.feed import Feeds
from events.feed.own_changes import OwnChanges
from events.identity import Arrival, event_id
from events.kinds import BOOKED
from events.outgoing.callback_urls import CallbackRules
from events.outgoing.contents import EventContents
from events.outgoing.deliverer import Deliverer
from events.outgoing.endings import Endings
from events.outgoing.minute_limits import MinuteLimits
from events.outgoing.standing import EventNote, EventStanding, EventStandings, NotNoted, Refusal
from events.outgoing.stored_deliveries import fan_out
from events.outgoing.stored_subscriptions import SubscriptionRows
from events.outgoing.subscribing import read_subscribe, read_unsubscribe
from events.outgoing.subscriptions import Subscribed, Subscriptions, challenge_limits
from events.outgoing.wire import WireProfile
from events.payload import Reader
from events.tables import event_delivery, feed_event
from storage.connection import DatabaseConnection
from storage.database import Database
from storage.keys import Key, KeyRing
from tests.events.outgoing.callback_host import HOST, CallbackHost, Received, callback_host

PERSON: Final = "https://api.calendly.com/users/AAAAAAAAAAAAAAAA"
GRANT: Final = "grant-1"
URL: Final = f"https://{HOST}/hook/secret-path"
SECRET: Final = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET: Final = "whsec_" + "x" * 32


_SEES_ALL: Final = Reader()


async def nothing() -> None:
    """Do nothing before an answer."""


@dataclass
class Grants:
    """What grants may see: `events.outgoing.standing.EventStandings`.

    Attributes:
        standing: By grant, what a test says.
        asking: Awaited before an answer.
        real: Answers in place of this.
    """

    standing: dict[str, EventStanding | None] = field(default_factory=dict[str, EventStanding | None])
    asking: Callable[[], Awaitable[None]] = nothing
    real: EventStandings | None = None

    async def of(self, grant: str, kind: str) -> EventStanding | None:
        """Return what a test says of a grant; everything is allowed by default."""
        await self.asking()
        if self.real is not None:
            return await self.real.of(grant, kind)
        usual = EventStanding(grant=grant, person=PERSON, agent="Agent", reader=_SEES_ALL)
        return self.standing.get(grant, usual)


@dataclass
class Notes:
    """The audit log: `events.outgoing.standing.Noted`."""

    notes: list[EventNote] = field(default_factory=list[EventNote])
    is_full: bool = False
    wanted: int = 0
    full: asyncio.Event = field(default_factory=asyncio.Event)

    async def keep(self, note: EventNote) -> None:
        """Keep an entry, unless the test says that none can be kept."""
        if self.is_full:
            raise NotNoted("The disk is full.")
        self.notes.append(note)

    async def note(self, note: EventNote) -> None:
        """Keep an entry, and tell when there are as many as are wanted."""
        self.notes.append(note)
        if len(self.notes) == self.wanted:
            self.full.set()

    def jot(self, note: EventNote) -> None:
        """Keep an entry that nobody waits for."""
        self.notes.append(note)

    @property
    def told(self) -> list[str]:
        """What the entries say."""
        return [note.told for note in self.notes]


async def _names(_connection: DatabaseConnection, grants: Collection[str]) -> Mapping[str, str]:
    """Name the agents of grants."""
    return dict.fromkeys(grants, "Agent")


@dataclass
class World:
    """Everything that delivers, with a clock of its own."""

    database: Database
    host: CallbackHost
    keyring: KeyRing
    time: datetime = datetime(2026, 12, 1, 9, tzinfo=UTC)
    grants: Grants = field(default_factory=Grants)
    notes: Notes = field(default_factory=Notes)
    rules: CallbackRules = field(default_factory=CallbackRules)
    profile: WireProfile = "chatgpt"
    person: str = PERSON
    limits: MinuteLimits = field(init=False)
    booked: int = 0

    def __post_init__(self) -> None:
        """Begin without challenges."""
        self.limits = challenge_limits(self.now)

    def now(self) -> datetime:
        """Return the time."""
        return self.time

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.time += timedelta(**time)

    @property
    def feeds(self) -> Feeds:
        """The feeds of people."""
        return Feeds(database=self.database, keyring=self.keyring, now=self.now, random=os.urandom, fan_out=fan_out)

    @property
    def endings(self) -> Endings:
        """What ends subscriptions."""
        return Endings(
            database=self.database,
            rows=SubscriptionRows(self.keyring),
            poster=self.host.poster(now=self.now),
            rules=self.rules,
            profile=self.profile,
            noted=self.notes,
            names=_names,
            now=self.now,
        )

    @property
    def subscriptions(self) -> Subscriptions:
        """What makes and refreshes them."""
        return Subscriptions(endings=self.endings, feeds=self.feeds, limits=self.limits)

    def replica(self, endings: Endings | None = None, contents: EventContents | None = None) -> Deliverer:
        """Start a deliverer of its own."""
        return Deliverer(
            endings=endings or self.endings,
            contents=contents or EventContents(self.feeds, OwnChanges(self.feeds, self.now)),
            standings=self.grants,
            now=self.now,
            sleep=_sleep,
            random_bytes=os.urandom,
            random=lambda: 0.5,
        )

    async def subscribe(
        self,
        grant: str = GRANT,
        narrowed_to: str | None = None,
        *,
        url: str = URL,
        secret: str = SECRET,
        **changes: object,
    ) -> Subscribed:
        """Subscribe to bookings, with the parameters changed."""
        delivery = {"mode": "webhook", "url": url, "secret": secret}
        params = {"name": BOOKED, "arguments": {}, "delivery": delivery, "cursor": None, **changes}
        standing = await self.grants.of(grant, BOOKED)
        assert standing
        return await self.subscriptions.subscribe(read_subscribe(params), standing, narrowed_to)

    async def unsubscribe(self, url: str = URL) -> bool:
        """Unsubscribe from bookings."""
        request = read_unsubscribe({"name": BOOKED, "delivery": {"url": url}})
        standing = await self.grants.of(GRANT, BOOKED)
        assert standing
        return await self.subscriptions.unsubscribe(request, standing)

    async def book(self, count: int = 1, *, of: str | None = None, ago: float = 0.0) -> list[str]:
        """Let so many meetings be booked, and return the ids of their events."""
        ids: list[str] = []
        await self.feeds.begin(self.person)
        for _ in range(count):
            self.booked += 1
            invitee = f"https://api.calendly.com/scheduled_events/E{self.booked:015}/invitees/I{self.booked:015}"
            arrival = Arrival(
                kind=BOOKED,
                event_id=event_id(BOOKED, invitee),
                occurred_at=self.time - timedelta(seconds=ago),
                data={"kind": BOOKED, "by": "invitee", "invitee": {"uri": invitee, "email": "pat@example.com"}},
                filter=of,
                invitee=invitee,
            )
            assert await self.feeds.publish(self.person, arrival)
            ids.append(arrival.event_id)
        return ids

    async def crowd(self, subscription: str, count: int) -> None:
        """Have one event on its way so many times, as far as a subscription can tell."""
        await self.book()
        async with self.database.begin() as connection:
            row, event = [
                {column.key: found[column.key] for column in table.c}
                for table in (event_delivery, feed_event)
                for found in (await connection.execute(select(table))).mappings()
            ]
            assert row["subscription"] == subscription
            others = [f"{number:064}" for number in range(count - 1)]
            copies = [{**event, "id": other, "position": -number} for number, other in enumerate(others)]
            await connection.execute(insert(feed_event), copies)
            await connection.execute(insert(event_delivery), [{**row, "id": other, "event": other} for other in others])

    async def deliver(self, deliverer: Deliverer | None = None) -> int:
        """Make one attempt at everything that is due, and return how many."""
        deliverer, made = deliverer or self.replica(), 0
        while claimed := await deliverer.claim():
            for delivery in claimed:
                await deliverer.attempt(delivery)
                made += 1
        return made

    @property
    def events(self) -> list[Received]:
        """The posts of events."""
        return [post for post in self.host.received if "eventId" in post.content]

    @property
    def arrived(self) -> list[str]:
        """The ids of the events that were posted."""
        return [post.content["eventId"] for post in self.events]

    def posts(self, kind: str) -> list[dict[str, Any]]:
        """The control messages of a type."""
        return [post.content for post in self.host.received if post.content.get("type") == kind]

    def allow(
        self, *, person: str = PERSON, reader: Reader = _SEES_ALL, refusal: Refusal | None = None, waits: bool = False
    ) -> None:
        """Change what the grant may see."""
        self.grants.standing[GRANT] = EventStanding(
            grant=GRANT, person=person, agent="Agent", reader=reader, refusal=refusal, waits=waits
        )

    def revoke(self) -> None:
        """Let the grant be over."""
        self.grants.standing[GRANT] = None


@asynccontextmanager
async def delivery_world(database: Database, folder: Path) -> AsyncGenerator[World]:
    """Run a world over a migrated database."""
    async with callback_host(folder) as host:
        yield World(database, host, KeyRing([Key.generate("k")]))


async def _sleep(_seconds: float) -> None:
    """Never wait: tests let time pass themselves."""
