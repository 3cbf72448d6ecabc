"""Who listens in a process: woken by a publication there at once, by one elsewhere by reading, and never too many."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack

import pytest
from sqlalchemy import select

from events.feed import stored_feeds
from events.outgoing.listeners import FeedListeners
from events.outgoing.wire import EventsRefusal
from events.tables import feed
from storage.database import Database
from tests.databases import open_migrated
from tests.events.feeds import Clock, feeds_in
from tests.events.histories import PERSON

OTHER = "https://api.calendly.com/users/OTHER"


@pytest.fixture
async def database() -> AsyncGenerator[Database]:
    async with open_migrated() as database:
        for person in (PERSON, OTHER):
            await feeds_in(database).begin(person)
        yield database


@pytest.mark.requirement("listen-limits")
async def test_an_agent_has_four_open_listens_and_a_process_two_hundred(database: Database) -> None:
    listeners = FeedListeners(database, Clock())
    with ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(listeners.opened(PERSON, "G"))
        with pytest.raises(EventsRefusal) as mine, listeners.opened(PERSON, "G"):
            pass
        for number in range(196):
            stack.enter_context(listeners.opened(PERSON, f"G{number}"))
        with pytest.raises(EventsRefusal) as everybodys, listeners.opened(OTHER, "another"):
            pass
    assert [refused.value.data["max"] for refused in (mine, everybodys)] == [4, 200]
    assert mine.value.data["limit"] == "listens"
    with listeners.opened(PERSON, "G"):
        pass


@pytest.mark.requirement("listen-told")
async def test_who_listens_is_woken_by_a_publication_here_and_by_one_elsewhere(database: Database) -> None:
    rounds, clock = asyncio.Queue[asyncio.Event](), Clock()

    async def sleep(seconds: float) -> None:
        assert seconds == 0.5
        await rounds.put(go_on := asyncio.Event())
        await go_on.wait()

    listeners = FeedListeners(database, clock)
    reading = asyncio.create_task(listeners.run(sleep))
    with listeners.opened(PERSON, "G") as mine, listeners.opened(OTHER, "H") as other:
        listeners.wake(PERSON)
        assert (mine.woken.is_set(), other.woken.is_set()) == (True, False)
        (await rounds.get()).set()  # the first reading wakes everybody: something may have been told before
        second = await rounds.get()
        for listener in (mine, other):
            listener.woken.clear()
        async with database.begin() as connection:
            await stored_feeds.set_head(connection, OTHER, 1)
        second.set()
        await other.woken.wait()
        assert not mine.woken.is_set()
        for _ in range(60):
            (await rounds.get()).set()
        pause = await rounds.get()
        async with database.read() as connection:
            assert None not in (await connection.execute(select(feed.c.listened_until))).scalars().all()
        listeners.close()
        assert mine.woken.is_set()
        assert listeners.is_closed
    with listeners.opened(PERSON, "late") as late:
        assert late.woken.is_set()  # it ends at once, not when it would ask whether it still may
    pause.set()
    reading.cancel()
    await asyncio.wait([reading])
    assert rounds.qsize() <= 1  # nothing is read while nobody listens
