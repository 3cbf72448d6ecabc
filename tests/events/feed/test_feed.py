"""The feed of a person: each event once, positions without gaps, cursors, and what is kept for how long."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

import anyio
import pytest
from sqlalchemy import func, select

from events.feed import stored_events, stored_feeds
from events.feed.cursor import Cursor
from events.feed.stored_events import StoredEvent
from events.identity import Arrival, told
from events.joining import FIRST_WAIT
from events.kinds import MARKED, UNMARKED
from events.tables import event_address, feed, feed_event, metadata
from storage.connection import DatabaseConnection
from storage.database import Database, open_database
from storage.keys import Key, KeyRing
from storage.rotation import rotate
from tests.databases import open_migrated
from tests.events.feeds import KEYRING, Clock, Happenings, all_kinds, feeds_in, kinds_in
from tests.events.histories import BEGINNING, PERSON, Account, arrivals, seeded


class Killed(BaseException):
    """The process is dead."""


@dataclass
class Mortals:
    """Replicas, of which one dies at every twentieth event before it commits the batch that it was told."""

    databases: tuple[Database, Database]
    random: Random = field(default_factory=lambda: seeded(4))
    events: int = 0

    def __post_init__(self) -> None:
        """Start both."""
        self.replicas = [feeds_in(database, fan_out=self._may_die) for database in self.databases]

    async def tell(self, arriving: Sequence[Arrival]) -> None:
        """Tell one of them after the other what happened, until one has lived to store it."""
        left = list(arriving)
        while left:
            batch = left[: self.random.randint(1, 4)]
            if await self._is_told(batch):
                del left[: len(batch)]

    async def _is_told(self, batch: Sequence[Arrival]) -> bool:
        try:
            await self.random.choice(self.replicas).publish_together(PERSON, batch)
        except Killed:
            return False
        return True

    async def _may_die(self, _connection: DatabaseConnection, events: Sequence[StoredEvent], _now: object) -> bool:
        before, self.events = self.events, self.events + len(events)
        if self.events // 20 > before // 20:
            raise Killed
        return False


@pytest.mark.requirement("feed-once")
async def test_every_event_is_published_once_with_the_next_position_whichever_replica_is_told_and_dies(
    shared_database_url: str,
) -> None:
    account, random = Account(seeded(3)), seeded(4)
    account.go_on(480)
    deliveries = [delivery for change in account.changes for delivery in change.deliveries]
    repeated = [delivery for delivery in deliveries for _ in range(random.randint(1, 3))]
    random.shuffle(repeated)
    assert len(repeated) >= 1000
    arriving = list(arrivals(repeated))
    expected = {arrival.event_id for arrival in arriving if arrival.half != "unmark"}
    unmarks = [arrival for arrival in arrivals(deliveries) if arrival.half == "unmark"]
    async with open_migrated(shared_database_url) as first, open_database(shared_database_url, patience=60) as second:
        mortals = Mortals((first, second))
        await mortals.replicas[0].begin(PERSON)
        async with anyio.create_task_group() as group:
            for number in range(4):
                group.start_soon(mortals.tell, arriving[number::4])
        await mortals.tell(unmarks)  # an end without its mark's name is settled once all marks are known
        page = await mortals.replicas[0].read(PERSON, all_kinds(10_000))
        async with first.read() as connection:
            waiting = await connection.scalar(
                select(func.count()).select_from(feed_event).where(feed_event.c.position.is_(None))
            )
    ids = [event.event_id for event in page.events]
    assert (mortals.events >= 200, waiting) == (True, 0)
    assert len(ids) == len(set(ids)) == len(expected) + len(unmarks)
    assert [event.position for event in page.events] == list(range(1, page.head + 1))
    assert expected <= set(ids)


async def test_a_batch_tells_what_its_arrivals_would_have_told_one_by_one(database: Database) -> None:
    account, random, other = Account(seeded(5)), seeded(6), f"{PERSON}-other"
    account.go_on(60)
    deliveries = [delivery for change in account.changes for delivery in change.deliveries] * 2
    random.shuffle(deliveries)
    arriving = list(arrivals(deliveries))
    feeds = feeds_in(database)
    for person in (PERSON, other):
        await feeds.begin(person)
    while arriving:
        batch = [arriving.pop() for _ in range(min(len(arriving), random.randint(1, 12)))]
        one_by_one = [await feeds.publish(PERSON, arrival) for arrival in batch]
        assert await feeds.publish_together(other, batch) == one_by_one
    alone, together = [(await feeds.read(person, all_kinds(1000))).events for person in (PERSON, other)]
    assert [(event.event_id, event.kind, event.position, event.data) for event in together] == [
        (event.event_id, event.kind, event.position, event.data) for event in alone
    ]
    assert {MARKED, UNMARKED} <= {event.kind for event in together}


@pytest.mark.requirement("feed-cursor")
async def test_a_cursor_gives_exactly_what_came_after_it(database: Database) -> None:
    feeds, happen = feeds_in(database), Happenings()
    found = await feeds.begin(PERSON)
    for _ in range(5):
        await feeds.publish_all(PERSON, happen.book())
    newest = await feeds.read(PERSON, all_kinds(2))
    assert [event.position for event in newest.events] == [4, 5]
    assert (newest.position, newest.has_more, newest.is_truncated) == (5, False, False)
    cursor = f"c1-{found.epoch}-1"
    page = await feeds.read(PERSON, all_kinds(2), cursor)
    assert ([event.position for event in page.events], page.position, page.has_more) == ([2, 3], 3, True)
    page = await feeds.read(PERSON, all_kinds(2), f"c1-{found.epoch}-{page.position}")
    assert ([event.position for event in page.events], page.position, page.has_more) == ([4, 5], 5, False)
    for lost in ("nonsense", f"c1-{found.epoch}-6", "c1-00000000-2", f"C1-{found.epoch}-2", ""):
        page = await feeds.read(PERSON, all_kinds(), lost)
        assert ([event.position for event in page.events], page.is_truncated) == ([1, 2, 3, 4, 5], True)


async def test_what_is_left_out_is_not_read_again(database: Database) -> None:
    feeds, happen = feeds_in(database), Happenings()
    found = await feeds.begin(PERSON)
    for arrival in [*happen.book(), *happen.cancel(), *happen.book()]:
        await feeds.publish(PERSON, arrival)
    wanted = replace(all_kinds(), kinds=["meeting.canceled"])
    page = await feeds.read(PERSON, wanted, f"c1-{found.epoch}-0")
    assert ([event.kind for event in page.events], page.position) == (["meeting.canceled"], 3)
    none = await feeds.read(PERSON, replace(all_kinds(), filter="another"), f"c1-{found.epoch}-0")
    assert (none.events, none.position) == ([], 3)
    assert len((await feeds.read(PERSON, replace(all_kinds(), filter="T"))).events) == 3


async def test_a_half_waits_and_is_published_with_what_is_known_once_nothing_else_comes(database: Database) -> None:
    clock, happen = Clock(), Happenings()
    feeds = feeds_in(database, clock)
    await feeds.begin(PERSON)
    happen.book()
    old, _new = happen.move()
    assert not await feeds.publish(PERSON, old)
    async with database.read() as connection:
        assert await stored_events.overdue(connection, clock.now, 10) == []
        clock.now += FIRST_WAIT
        (waiting,) = await stored_events.overdue(connection, clock.now, 10)
    assert await feeds.publish_waiting(waiting)
    assert not await feeds.publish_waiting(waiting)
    (event,) = (await feeds.read(PERSON, all_kinds())).events
    assert event.kind == "meeting.rescheduled"
    assert event.data["previous"]["meeting"]["uri"].endswith("/E0")
    assert event.data["invitee"]["uri"].endswith("/E1/invitees/I1")
    assert not await feeds.publish(PERSON, _new)


async def test_deliveries_are_written_with_the_event_or_neither_is(database: Database) -> None:
    seen: list[tuple[str, int | None]] = []

    async def note(connection: DatabaseConnection, events: Sequence[StoredEvent], _now: object) -> bool:
        (event,) = events
        assert await connection.scalar(select(feed.c.head)) == event.position
        seen.append((event.kind, event.position))
        if len(seen) == 1:
            raise RuntimeError("killed")
        return False

    feeds, happen = feeds_in(database, fan_out=note), Happenings()
    await feeds.begin(PERSON)
    (booked,) = happen.book()
    with pytest.raises(RuntimeError):
        await feeds.publish(PERSON, booked)
    assert await kinds_in(feeds) == []
    assert await feeds.publish(PERSON, booked)
    assert not await feeds.publish(PERSON, booked)
    assert seen == [("meeting.booked", 1)] * 2


@pytest.mark.requirement("feed-kept")
async def test_payloads_go_after_thirty_days_and_identities_after_four_hundred(database: Database) -> None:
    clock, happen = Clock(), Happenings()
    feeds = feeds_in(database, clock)
    found = await feeds.begin(PERSON)
    old, new = happen.book(), happen.book()
    await feeds.publish_all(PERSON, old)
    clock.now += timedelta(days=29)
    await feeds.publish_all(PERSON, new)
    clock.now += timedelta(days=1)
    await feeds.retain()
    page = await feeds.read(PERSON, all_kinds(), f"c1-{found.epoch}-0")
    assert ([event.position for event in page.events], page.is_truncated) == ([2], True)
    assert not (await feeds.read(PERSON, all_kinds(), f"c1-{found.epoch}-1")).is_truncated
    assert await feeds.publish_all(PERSON, old) == []
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(event_address)) == 1
    clock.now += timedelta(days=370)
    await feeds.retain()
    assert await feeds.publish_all(PERSON, old) == old


@pytest.mark.requirement("feed-kept")
async def test_of_many_events_the_oldest_payloads_go_first(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.feed.publishing.MOST_KEPT", 3)
    feeds, happen = feeds_in(database), Happenings()
    await feeds.begin(PERSON)
    for _ in range(5):
        await feeds.publish_all(PERSON, happen.book())
    assert [event.position for event in (await feeds.read(PERSON, all_kinds())).events] == [3, 4, 5]


@pytest.mark.requirement("feed-forgets")
async def test_an_invitee_who_is_to_be_forgotten_is_in_no_event_any_more(database: Database) -> None:
    feeds, happen = feeds_in(database), Happenings()
    await feeds.begin(PERSON)
    booked, other = happen.book(), happen.book()
    body = b'{"event":"new.kind","payload":{"who":"GUEST0@example.com"}}'
    half = told("new.kind", "2026-12-01T12:00:00Z", {"who": "\ud800@example.com"}, b"2", BEGINNING)
    await feeds.publish(PERSON, half)
    unknown = told("new.kind", "2026-12-01T12:00:00Z", json.loads(body)["payload"], body, BEGINNING)
    await feeds.publish_all(PERSON, [*booked, *other, unknown])
    await feeds.forget([PERSON, "https://api.calendly.com/users/nobody"], ["Guest0@Example.com"])
    _, first, second, third = (await feeds.read(PERSON, all_kinds())).events
    assert first.data["invitee"] == {"uri": booked[0].invitee, "status": "active"}
    assert second.data["invitee"]["email"] == "guest1@example.com"
    assert third.data == {"kind": "other"}
    assert await feeds.publish_all(PERSON, [*booked, unknown]) == []


@pytest.mark.requirement("feed-forgets")
async def test_an_invitee_is_forgotten_also_in_the_end_of_a_mark_that_came_before_the_mark(database: Database) -> None:
    feeds, happen = feeds_in(database), Happenings()
    await feeds.begin(PERSON)
    booked, marked, unmarked = happen.book(), happen.mark(), happen.unmark()
    for arrival in (*booked, *unmarked, *marked):
        await feeds.publish(PERSON, arrival)
    await feeds.forget([PERSON], ["guest0@example.com"])
    events = (await feeds.read(PERSON, all_kinds())).events
    assert [event.kind for event in events] == ["meeting.booked", "no_show.marked", "no_show.unmarked"]
    assert all(event.data["invitee"] == {"uri": booked[0].invitee, "status": "active"} for event in events)


@pytest.mark.requirement("feed-kept")
async def test_nothing_of_an_invitee_can_be_read_in_the_database(database: Database) -> None:
    feeds, happen = feeds_in(database), Happenings()
    await feeds.begin(PERSON)
    await feeds.publish_all(PERSON, [*happen.book(), *happen.cancel()])
    async with database.read() as connection:
        rows = [
            str(tuple(row)) for table in metadata.tables.values() for row in await connection.execute(select(table))
        ]
    assert len(rows) > 3
    assert not any(word in row.lower() for row in rows for word in ("guest", "example.com", "ill", "intro"))


async def test_keys_can_be_rotated_and_a_person_without_a_feed_stores_nothing(database: Database) -> None:
    feeds, happen = feeds_in(database), Happenings()
    assert await feeds.publish_all(PERSON, happen.book()) == []
    await feeds.begin(PERSON)
    await feeds.publish_all(PERSON, happen.book())
    rotated = KeyRing([Key("k2", b"2" * 32), Key("k1", b"1" * 32)])
    assert await rotate(database, rotated, metadata.tables.values()) == 2
    renewed = replace(feeds, keyring=rotated)
    assert await kinds_in(renewed) == ["meeting.booked"]
    async with database.begin() as connection:
        await stored_feeds.drop(connection, PERSON)
    async with database.read() as connection:
        for table in metadata.tables.values():
            assert await connection.scalar(select(func.count()).select_from(table)) == 0


async def test_an_event_that_cannot_be_opened_is_left_out_of_what_is_read(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    feeds, happen = feeds_in(database), Happenings()
    await feeds.begin(PERSON)
    with_lost = KeyRing([Key("lost", b"3" * 32), Key("k1", b"1" * 32)])
    for keyring in (KEYRING, with_lost, KEYRING):
        await replace(feeds, keyring=keyring).publish_all(PERSON, happen.book())
    start = str(Cursor((await feeds.begin(PERSON)).epoch, 0))
    first = await feeds.read(PERSON, all_kinds(count=2), start)
    assert ([event.position for event in first.events], first.position, first.has_more) == ([1], 2, True)
    assert [event.position for event in (await feeds.read(PERSON, all_kinds())).events] == [1, 3]
    assert "is left out: A value in feed_event.payload_ciphertext cannot be opened" in caplog.text


async def test_a_mark_that_comes_after_its_end_counts_as_ended(database: Database) -> None:
    clock, happen = Clock(), Happenings()
    feeds = feeds_in(database, clock)
    await feeds.begin(PERSON)
    happen.book()
    (marked,) = happen.mark()
    (unmarked,) = happen.unmark()
    await feeds.publish(PERSON, unmarked)
    async with database.read() as connection:
        (waiting,) = await stored_events.overdue(connection, clock.now + FIRST_WAIT, 10)
    await feeds.publish_waiting(waiting)
    await feeds.publish(PERSON, marked)
    assert not await feeds.publish(PERSON, unmarked)  # Calendly tells the end again
    assert await kinds_in(feeds) == ["no_show.unmarked", "no_show.marked"]
    assert marked.invitee is not None
    marks = await feeds.marks(PERSON, marked.invitee)
    assert [mark.uri for mark in marks] == [None, marked.data["no_show"]["uri"]] or len(marks) == 2
