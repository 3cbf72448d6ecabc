import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import select
from typing_extensions import override

from events.feed.own_changes import OwnChanges
from events.outgoing.callbacks import Addressee, CallbackAnswer, CallbackPoster
from events.outgoing.contents import EventContents
from events.outgoing.deliverer import Deliverer
from events.outgoing.standing import EventNote, EventStanding
from events.outgoing.wire import WireProfile
from events.payload import Reader
from events.tables import event_delivery
from storage.database import open_database
from tests.cases import case
from tests.databases import open_migrated
from tests.events.outgoing.callback_host import answer, repeating
from tests.events.outgoing.delivery_world import Notes, World, delivery_world, nothing


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_migrated() as database, delivery_world(database, tmp_path) as running:
        yield running


async def states(world: World) -> Counter[str]:
    async with world.database.read() as connection:
        return Counter((await connection.execute(select(event_delivery.c.state))).scalars())


class Killed(BaseException):
    """The process is dead."""


class KilledContents(EventContents):
    """Dies while an event is read."""

    @override
    async def of(self, row: str, standing: EventStanding) -> dict[str, Any] | None:
        raise Killed


class KilledPoster(CallbackPoster):
    """Dies instead of posting."""

    @override
    async def post(self, to: Addressee, message: str, body: bytes, *, reads: bool = False) -> CallbackAnswer:
        raise Killed


class KilledAfterPosting(CallbackPoster):
    """Dies when something was posted."""

    @override
    async def post(self, to: Addressee, message: str, body: bytes, *, reads: bool = False) -> CallbackAnswer:
        await super().post(to, message, body, reads=reads)
        raise Killed


class KilledNotes(Notes):
    """Dies once a delivery is marked, before it is noted."""

    @override
    async def note(self, note: EventNote) -> None:
        raise Killed


def poster_of(world: World, kind: type[CallbackPoster]) -> CallbackPoster:
    usual = world.host.poster(now=world.now)
    return kind(**{name: getattr(usual, name) for name in CallbackPoster.__dataclass_fields__})


def killed_at(step: str, world: World) -> Deliverer:
    """Make a deliverer that dies at a step."""
    if step == "reading":
        return world.replica(contents=KilledContents(world.feeds, OwnChanges(world.feeds, world.now)))
    if step == "posting":
        return world.replica(endings=replace(world.endings, poster=poster_of(world, KilledPoster)))
    if step == "marking":
        return world.replica(endings=replace(world.endings, poster=poster_of(world, KilledAfterPosting)))
    if step == "noting":
        return world.replica(endings=replace(world.endings, noted=KilledNotes()))
    return world.replica()


@pytest.mark.requirement("mcp-events-crash")
@pytest.mark.parametrize(
    ("step", "profile"),
    [
        *((step, "chatgpt") for step in ("claiming", "asking", "reading", "posting", "marking", "noting")),
        ("marking", "sep-3415"),
    ],
)
async def test_a_deliverer_that_is_killed_leaves_its_events_to_the_next(
    world: World, step: str, profile: WireProfile
) -> None:
    async def dying() -> None:
        raise Killed

    world.profile = profile
    await world.subscribe()
    events = await world.book(20)
    kills = 0
    for _ in range(3):
        dead = killed_at(step, world)
        claimed = await dead.claim()
        if step == "asking":
            world.grants.asking = dying
        for delivery in claimed if step != "claiming" else []:
            with suppress(Killed):
                await dead.attempt(delivery)
            kills += 1
        world.grants.asking = _go_on
    await world.deliver()
    world.wait(seconds=31)
    await world.deliver()

    posted = Counter((post.content["eventId"], post.headers["webhook-id"]) for post in world.events)
    assert sorted(event for event, _ in posted) == sorted(events)
    assert max(posted.values()) <= (2 if step == "marking" else 1)
    assert posted.total() <= len(events) + (kills if step == "marking" else 0)
    assert await states(world) == {"arrived": 20}


async def _go_on() -> None:
    """Let a grant be asked about."""


ENDS: dict[str, Callable[[World], None]] = {
    "another person": lambda world: world.allow(person="https://api.calendly.com/users/BBBB"),
    "callbacks off": lambda world: setattr(world, "rules", replace(world.rules, callbacks="off")),
    "host not listed": lambda world: setattr(world, "rules", replace(world.rules, callbacks="listed")),
}


@pytest.mark.requirement("mcp-events-revoked")
@pytest.mark.parametrize("end", ENDS)
async def test_nothing_is_posted_once_access_is_gone(world: World, end: str) -> None:
    await world.subscribe()
    await world.book(8)
    world.host.answers = lambda _: answer(status="500 Oops")
    await world.deliver()
    await world.book(5)
    world.host.received.clear()
    world.host.answers = repeating

    ENDS[end](world)
    world.wait(seconds=20)
    await world.deliver()
    world.allow()
    world.wait(hours=1)
    await world.deliver()

    assert world.events == []
    assert len(world.posts("terminated")) == (0 if end in {"callbacks off", "host not listed"} else 1)
    assert await states(world) == {}
    assert "is no longer posted events" in world.notes.told[-1]


async def test_while_a_person_has_to_sign_in_again_deliveries_wait_for_a_day(world: World) -> None:
    await world.subscribe(ttlMs=None)
    [first] = await world.book()
    world.allow(waits=True)
    for _ in range(3):
        assert await world.deliver() == 1
        world.wait(minutes=15)
    world.allow()
    assert await world.deliver() == 1
    assert world.arrived == [first]

    await world.book()
    world.allow(waits=True)
    await world.subscribe()
    await world.deliver()
    world.wait(hours=23)
    await world.subscribe()
    await world.deliver()
    world.wait(hours=1)
    await world.deliver()
    assert world.arrived == [first]
    assert await states(world) == {"arrived": 1, "given up": 1}
    assert world.notes.told[-1].endswith(": the person has not signed in at Calendly again within a day")
    world.allow()
    await world.subscribe()
    await world.deliver()
    assert await states(world) == {"arrived": 2}


@pytest.mark.requirement("mcp-events-retried")
async def test_what_fails_is_tried_five_times_and_given_up(world: World) -> None:
    await world.subscribe()
    [event] = await world.book()
    world.host.answers = lambda _: answer(status="503 Busy")
    made: list[float] = []
    begun = world.time
    for _ in range(1000):
        if await world.deliver():
            made.append((world.time - begun).total_seconds())
        world.wait(seconds=1)

    assert made == [0, 15, 60, 240, 720]
    assert world.arrived == [event] * 5
    assert len({post.headers["webhook-signature"] for post in world.events}) == 5
    assert await states(world) == {"given up": 1}
    assert world.notes.told[-1].endswith("503 at the 5th attempt")

    world.host.answers = repeating
    status = (await world.subscribe()).status
    assert status is not None
    assert (status.last_error, status.failed_since) == ("http_5xx", begun)
    await world.deliver()
    assert await states(world) == {"arrived": 1}


async def test_retry_after_is_heeded(world: World) -> None:
    await world.subscribe()
    await world.book()
    world.host.answers = lambda _: answer(status="429 Slowly", more=["Retry-After: 100"])
    await world.deliver()
    world.wait(seconds=99)
    assert await world.deliver() == 0
    world.wait(seconds=1)
    assert await world.deliver() == 1


@pytest.mark.parametrize("status", ["410 Gone", "413 Too Large"])
async def test_what_a_callback_refuses_for_good_is_not_sent_again(world: World, status: str) -> None:
    await world.subscribe()
    await world.book()
    world.host.answers = lambda _: answer(status=status)
    await world.deliver()
    world.host.answers = repeating
    await world.subscribe()
    world.wait(hours=1)

    assert await world.deliver() == 0
    [event] = await world.book()
    await world.deliver()
    assert world.arrived[-1] == event


async def test_an_agent_is_told_what_it_may_see_at_that_moment(world: World) -> None:
    await world.subscribe()
    await world.book(2)
    first, second = await world.replica().claim()
    deliverer = world.replica()
    await deliverer.attempt(first)
    world.allow(reader=Reader(sees_invitees=False))
    await deliverer.attempt(second)

    seen, hidden = (post.content["data"] for post in world.events)
    assert seen["invitee"]["email"] == "pat@example.com"
    assert hidden["withheld"] == ["invitee_data"]
    assert "pat@example.com" not in str(hidden)


async def test_a_process_posts_to_one_host_four_at_a_time_and_in_order(world: World) -> None:
    await world.subscribe()
    events = await world.book(10)
    four, held = asyncio.Event(), asyncio.Event()

    async def holding() -> None:
        begun.append(None)
        if len(begun) == 4:
            four.set()
        await held.wait()

    begun: list[None] = []
    world.grants.asking = holding
    async with running(world):
        await four.wait()
        assert await world.replica().claim() != []  # another process has room of its own
        assert len(begun) == 4
        held.set()
    assert world.arrived == events[:4]


async def test_a_post_that_is_late_when_the_process_stops_is_waited_for_and_made_by_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("events.outgoing.deliverer._STOPPING", 0.0)
    await world.subscribe()
    [event] = await world.book()
    begun, ended = asyncio.Event(), asyncio.Event()

    async def late() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            with anyio.CancelScope(shield=True):
                await asyncio.sleep(0)
            ended.set()

    world.grants.asking = late
    async with running(world):
        await begun.wait()
    assert ended.is_set()
    world.grants.asking = nothing
    world.wait(seconds=30)
    assert (await world.deliver(), world.arrived) == (1, [event])


async def test_what_is_published_is_posted_at_once(world: World) -> None:
    await world.subscribe()
    world.notes.wanted = 2
    async with running(world) as deliverer:
        [event] = await world.book()
        deliverer.woken.set()
        await world.notes.full.wait()

    assert world.arrived == [event]
    assert world.notes.told[-1] == (
        "Posted the event 'meeting.booked' about {person} to {agent} at connectors.example: 200 at the 1st attempt"
    )


@asynccontextmanager
async def running(world: World) -> AsyncGenerator[Deliverer]:
    """Run a deliverer that looks once, and then waits until it is woken."""
    deliverer = world.replica()
    deliverer.sleep = _forever
    deliverer.woken.set()
    task = asyncio.create_task(deliverer.run())
    yield deliverer
    task.cancel()
    await asyncio.wait([task])


async def _forever(_seconds: float) -> None:
    await asyncio.Event().wait()


async def test_two_replicas_post_each_event_once(shared_database_url: str, tmp_path: Path) -> None:
    async with (
        open_migrated(shared_database_url) as database,
        open_database(shared_database_url, patience=60) as other,
        delivery_world(database, tmp_path) as world,
    ):
        await world.subscribe()
        events = await world.book(40)
        second = world.replica(endings=replace(world.endings, database=other))
        with case(shared_database_url.partition(":")[0]):
            await asyncio.gather(world.deliver(), world.deliver(second))

        assert Counter(world.arrived) == Counter(events)
        assert await states(world) == {"arrived": 40}


async def test_a_lease_passes_within_thirty_five_seconds(world: World) -> None:
    await world.subscribe()
    await world.book()
    await world.replica().claim()
    world.wait(seconds=29)
    assert await world.deliver() == 0
    world.wait(seconds=6)
    assert await world.deliver() == 1
