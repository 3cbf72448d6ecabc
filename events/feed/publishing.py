"""One transaction that publishes: the row of the feed is locked, so positions have no gaps."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from calendly.request import JSON
from events.facts import part
from events.feed import stored_events, stored_feeds
from events.feed.stored_events import MOST_KEPT, StoredEvent, row_id
from events.feed.stored_feeds import Digests, StoredFeed
from events.identity import Arrival, Half
from events.joining import FIRST_WAIT, Mark, Stored, ended_mark, of_mark, place
from events.kinds import MARKED, UNMARKED
from events.payload import without_invitee
from events.tables import feed_event
from storage.connection import DatabaseConnection
from storage.keys import KeyRing
from storage.types import sealed_for

FanOut = Callable[[DatabaseConnection, StoredEvent, datetime], Awaitable[None]]
"""Writes the deliveries of an event, which has its position, in the transaction that publishes it."""


async def to_nobody(_connection: DatabaseConnection, _event: StoredEvent, _now: datetime) -> None:
    """Deliver an event to nobody: it is read."""


@dataclass(frozen=True, slots=True)
class Payloads:
    """Opens and seals what events say."""

    keyring: KeyRing = field(repr=False)

    def opened(self, row: StoredEvent) -> JSON | None:
        """Open what an event says, None when that is gone."""
        if row.payload_ciphertext is None:
            return None
        opened = self.keyring.open(row.payload_ciphertext, **sealed_for(feed_event.c.payload_ciphertext, row.id))
        data: JSON = json.loads(opened)
        return data

    def sealed(self, data: JSON, row: str) -> bytes:
        """Seal what the event of a row says."""
        written = json.dumps(data, separators=(",", ":"))  # ASCII: halves of surrogates have no UTF-8
        return self.keyring.seal(written.encode(), **sealed_for(feed_event.c.payload_ciphertext, row))

    def arrival_of(self, row: StoredEvent) -> Arrival:
        """Return what was stored of a half that waits. Its addresses are known from then."""
        data = self.opened(row) or {"kind": row.kind}
        half: Half | None = next((known for known in ("old", "new", "unmark") if known == row.half), None)
        return Arrival(
            kind=row.kind,
            event_id=row.event_id,
            occurred_at=row.occurred_at,
            data=data,
            half=half,
            filter=row.filter,
            invitee=part(data, "invitee").get("uri"),
        )

    def mark_of(self, row: StoredEvent) -> Mark:
        """Return the mark, or the end of one, that an event is."""
        uri = part(self.opened(row) or {}, "no_show").get("uri")
        return Mark(row.kind, row.occurred_at, uri if isinstance(uri, str) else None)


@dataclass(slots=True)
class Publishing:
    """A transaction that publishes in one feed.

    Attributes:
        connection: The transaction.
        feed: The feed, whose row is locked.
        payloads: Seals what events say.
        now: The time.
        kept: How long that is kept.
        fan_out: Writes deliveries.
    """

    connection: DatabaseConnection
    feed: StoredFeed
    payloads: Payloads
    now: datetime
    kept: timedelta
    fan_out: FanOut

    async def take(self, arrival: Arrival) -> bool:
        """Store what happened; whether an event was published by it."""
        if arrival.half == "unmark":
            arrival = await self._of_its_mark(arrival)
        row = await stored_events.find(self.connection, row_id(self.feed.person, arrival.event_id))
        stored = None
        if row is not None:
            stored = Stored(self.payloads.arrival_of(row) if row.position is None else None)
        placed = place(arrival, stored)
        if placed is None:
            return False
        await self.put(placed, row)
        if placed.kind == MARKED:
            await self._end(placed)
        return placed.half is None

    async def put(self, arrival: Arrival, earlier: StoredEvent | None) -> None:
        """Store an arrival in the place of what waited for it; without a half it is published.

        Args:
            arrival: What happened.
            earlier: What is stored of it.
        """
        name = row_id(self.feed.person, arrival.event_id)
        digests = Digests.of(self.feed, self.payloads.keyring)
        forgotten_at = earlier.forgotten_at if earlier else None
        data = arrival.data if forgotten_at is None else without_invitee(arrival.data)
        position = None if arrival.half else self.feed.head + 1
        event = StoredEvent(
            id=name,
            person=self.feed.person,
            position=position,
            event_id=arrival.event_id,
            kind=arrival.kind,
            half=arrival.half,
            filter=arrival.filter,
            invitee_digest=arrival.invitee and digests.of_text(arrival.invitee),
            occurred_at=arrival.occurred_at,
            stored_at=earlier.stored_at if earlier else self.now,
            payload_ciphertext=self.payloads.sealed(data, name),
            forgotten_at=forgotten_at,
        )
        addresses = () if forgotten_at else map(digests.of_text, arrival.addresses)
        waits_until = self.now + FIRST_WAIT if position is None else None
        await stored_events.put(self.connection, event, addresses, waits_until, self.now + self.kept)
        if position is not None:
            await self._give(event, position)

    async def _give(self, event: StoredEvent, position: int) -> None:
        """Give an event its position, which makes it public."""
        await stored_feeds.set_head(self.connection, self.feed.person, position)
        self.feed = replace(self.feed, head=position)
        await self.fan_out(self.connection, event, self.now)
        if position > MOST_KEPT:
            await stored_events.drop_payload(self.connection, self.feed.person, position - MOST_KEPT)

    async def _of_its_mark(self, unmark: Arrival) -> Arrival:
        """Return the end of the mark that it is about, where that mark is known.

        One that was told without its mark stays that event, though the mark came later.
        """
        told = await stored_events.find(self.connection, row_id(self.feed.person, unmark.event_id))
        if told is not None and told.position is not None:
            return unmark
        rows = await self._marks(unmark)
        mark = ended_mark(unmark, [self.payloads.mark_of(row) for row in rows if row.position is not None])
        return unmark if mark is None else of_mark(unmark, mark)

    async def _end(self, mark: Arrival) -> None:
        """Publish the end of a mark that came before the mark."""
        for row in await self._marks(mark):
            if row.kind == UNMARKED and row.position is None and row.occurred_at >= mark.occurred_at:
                end = of_mark(self.payloads.arrival_of(row), mark.data["no_show"]["uri"])
                await self.take(end)
                await stored_events.supersede(self.connection, row.id, row_id(self.feed.person, end.event_id))
                return

    async def _marks(self, arrival: Arrival) -> list[StoredEvent]:
        digest = Digests.of(self.feed, self.payloads.keyring).of_text(arrival.invitee or "")
        return await stored_events.marks(self.connection, self.feed.person, [digest])
