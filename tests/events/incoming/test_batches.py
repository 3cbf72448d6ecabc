"""Who comes while a transaction is under way is stored by the next one, with all who wait."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import datetime

import anyio
import pytest
from sqlalchemy import event

from events.feed.feed import Feeds
from events.feed.stored_events import StoredEvent
from events.identity import Arrival
from events.incoming.batches import Batches
from storage.connection import DatabaseConnection
from storage.database import Database
from storage.errors import StorageUnavailable
from tests.databases import open_migrated
from tests.events.feeds import Happenings, feeds_in, kinds_in
from tests.events.histories import PERSON

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database(shared_database_url: str) -> AsyncGenerator[Database]:
    """A database of a kind whose transactions take a while; in memory nothing waits."""
    async with open_migrated(shared_database_url) as opened:
        yield opened


BOOKINGS = 6


def bookings() -> list[Arrival]:
    """Let meetings be booked."""
    happen = Happenings()
    return [arrival for _ in range(BOOKINGS) for arrival in happen.book()]


async def publish_at_once(feeds: Feeds, arrivals: Sequence[Arrival]) -> list[bool | Exception]:
    """Publish all of them at a time; what each was answered."""
    batches, answers = Batches(2), dict[int, bool | Exception]()

    async def publish(number: int, arrival: Arrival) -> None:
        try:
            answers[number] = await batches.publish(feeds, PERSON, arrival)
        except (StorageUnavailable, LookupError) as error:
            answers[number] = error

    async with anyio.create_task_group() as tasks:
        for number, arrival in enumerate(arrivals):
            tasks.start_soon(publish, number, arrival)
    return [answers[number] for number in range(len(arrivals))]


async def test_a_burst_is_stored_in_two_transactions_and_each_is_told_whether_its_own_was_new(
    database: Database,
) -> None:
    feeds, commits = feeds_in(database), list[object]()
    await feeds.begin(PERSON)
    event.listen(database.engines.writers.engine, "commit", commits.append)
    arrivals = bookings()
    assert await publish_at_once(feeds, [*arrivals, *arrivals]) == [True] * BOOKINGS + [False] * BOOKINGS
    assert len(commits) <= 2
    assert await kinds_in(feeds) == ["meeting.booked"] * BOOKINGS


async def test_what_the_database_refuses_is_refused_to_all_who_wait_at_once(database: Database) -> None:
    await feeds_in(database).begin(PERSON)
    never = replace(database.engines.writers, turns=asyncio.Semaphore(0))
    gone = replace(database, engines=replace(database.engines, writers=never), patience=0.5)
    with anyio.fail_after(0.5 * BOOKINGS):
        answers = await publish_at_once(feeds_in(gone), bookings())
    assert [type(answer) for answer in answers] == [StorageUnavailable] * BOOKINGS
    assert await publish_at_once(feeds_in(database), bookings()) == [True] * BOOKINGS


async def test_one_that_cannot_be_stored_takes_no_other_with_it(database: Database) -> None:
    arrivals = bookings()
    poison = arrivals[2].event_id

    async def fan_out(_connection: DatabaseConnection, stored: Sequence[StoredEvent], _now: datetime) -> bool:
        if poison in {event.event_id for event in stored}:
            raise LookupError(poison)
        return False

    feeds = feeds_in(database, fan_out=fan_out)
    await feeds.begin(PERSON)
    answers = await publish_at_once(feeds, arrivals)
    assert [answer is True for answer in answers] == [number != 2 for number in range(BOOKINGS)]
    assert await kinds_in(feeds) == ["meeting.booked"] * (BOOKINGS - 1)
