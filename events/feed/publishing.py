"""One transaction that publishes: the row of the feed is locked, so positions have no gaps.

What it reads and writes, it does for all arrivals together: each statement is a way to the database and
back, for which all who wait for the feed would wait.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from calendly.request import JSON
from events.facts import part
from events.feed import stored_events, stored_feeds
from events.feed.stored_events import MOST_KEPT, EventRow, StoredEvent, row_id
from events.feed.stored_feeds import Digests, StoredFeed
from events.identity import Arrival, Half
from events.joining import FIRST_WAIT, Mark, Stored, ended_mark, of_mark, place
from events.kinds import MARKED, UNMARKED
from events.payload import without_invitee
from events.tables import feed_event
from storage.connection import DatabaseConnection
from storage.keys import KeyRing
from storage.types import sealed_for

FanOut = Callable[[DatabaseConnection, Sequence[StoredEvent], datetime], Awaitable[bool]]
"""Writes the deliveries of a person's events, which have positions, in the transaction that publishes them.

Returns whether there are any.
"""


async def to_nobody(_connection: DatabaseConnection, _events: Sequence[StoredEvent], _now: datetime) -> bool:
    """Deliver events to nobody: they are read."""
    return False


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
        feed: The feed, whose row is locked, with the last position that was given.
        stored_head: The position that its row has.
        payloads: Seals what events say.
        now: The time.
        kept: How long that is kept.
        fan_out: Writes deliveries.
        has_deliveries: There are some of what was published.
    """

    connection: DatabaseConnection
    feed: StoredFeed
    stored_head: int
    payloads: Payloads
    now: datetime
    kept: timedelta
    fan_out: FanOut
    has_deliveries: bool = False
    _known: dict[str, StoredEvent | None] = field(default_factory=dict[str, StoredEvent | None])
    _unwritten: dict[str, EventRow] = field(default_factory=dict[str, EventRow])

    async def take_all(self, arrivals: Sequence[Arrival]) -> list[bool]:
        """Store what happened, in this order; by which of it an event was published."""
        await self._learn([arrival.event_id for arrival in arrivals])
        are_published = [await self._take(arrival) for arrival in arrivals]
        await self._end_writing()
        return are_published

    async def put_alone(self, arrival: Arrival, earlier: StoredEvent) -> None:
        """Publish an arrival in the place of the half that waited for its other."""
        self._put(arrival, earlier)
        await self._end_writing()

    async def _take(self, arrival: Arrival) -> bool:
        if arrival.half == "unmark":
            arrival = await self._of_its_mark(arrival)
        row = await self._find(arrival.event_id)
        stored = None
        if row is not None:
            stored = Stored(self.payloads.arrival_of(row) if row.position is None else None)
        placed = place(arrival, stored)
        if placed is None:
            return False
        self._put(placed, row)
        if placed.kind == MARKED:
            await self._end(placed)
        return placed.half is None

    def _put(self, arrival: Arrival, earlier: StoredEvent | None) -> None:
        """Note an arrival in the place of what waited for it; without a half it gets the next position."""
        name = row_id(self.feed.person, arrival.event_id)
        digests = Digests.of(self.feed, self.payloads.keyring)
        forgotten_at = earlier.forgotten_at if earlier else None
        data = arrival.data if forgotten_at is None else without_invitee(arrival.data)
        if not arrival.half:
            self.feed = replace(self.feed, head=self.feed.head + 1)
        event = StoredEvent(
            id=name,
            person=self.feed.person,
            position=None if arrival.half else self.feed.head,
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
        addresses = () if forgotten_at else tuple(map(digests.of_text, arrival.addresses))
        waits_until = self.now + FIRST_WAIT if arrival.half else None
        self._known[name] = event
        self._unwritten[name] = EventRow(event, addresses, waits_until, self.now + self.kept)

    async def _write(self) -> None:
        """Write what was noted, and make public what has a position."""
        rows = list(self._unwritten.values())
        if not rows:
            return
        self._unwritten.clear()
        await stored_events.put(self.connection, rows)
        if published := [row.event for row in rows if row.event.position is not None]:
            self.has_deliveries |= await self.fan_out(self.connection, published, self.now)
            if self.feed.head > MOST_KEPT:
                last = self.feed.head - MOST_KEPT
                await stored_events.drop_payloads(self.connection, self.feed.person, last - len(published), last)

    async def _end_writing(self) -> None:
        await self._write()
        if self.feed.head != self.stored_head:
            await stored_feeds.set_head(self.connection, self.feed.person, self.feed.head)

    async def _of_its_mark(self, unmark: Arrival) -> Arrival:
        """Return the end of the mark that it is about, where that mark is known.

        One that was told without its mark stays that event, though the mark came later.
        """
        told = await self._find(unmark.event_id)
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
                await self._take(end)
                await self._write()
                await stored_events.supersede(self.connection, row.id, row_id(self.feed.person, end.event_id))
                self._known[row.id] = None
                return

    async def _marks(self, arrival: Arrival) -> list[StoredEvent]:
        await self._write()
        digest = Digests.of(self.feed, self.payloads.keyring).of_text(arrival.invitee or "")
        return await stored_events.marks(self.connection, self.feed.person, [digest])

    async def _find(self, event_id: str) -> StoredEvent | None:
        """Find an event under its id, as it will be once all that was noted is written."""
        name = row_id(self.feed.person, event_id)
        if name not in self._known:
            await self._learn([event_id])
        return self._known[name]

    async def _learn(self, event_ids: Sequence[str]) -> None:
        """Read what is stored under these ids."""
        names = [row_id(self.feed.person, event_id) for event_id in event_ids]
        found = {row.id: row for row in await stored_events.find_together(self.connection, names)}
        self._known |= {name: found.get(name) for name in names}
