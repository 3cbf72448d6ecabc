"""Several server processes on one database, and what becomes of a refresh when one is killed in the middle."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import timedelta

import pytest

from auth.upstream.connections import Connections
from auth.upstream.lease import LEASE, Connection, Status
from calendly.errors import Unauthenticated
from tests.auth.calendly_side import RECONNECT_AT, Calendly, connect, connections
from tests.auth.processes import Process, process
from tests.databases import open_migrated

pytestmark = pytest.mark.anyio

TIMES = 100
CALLS = 10


@dataclass(frozen=True)
class Deployment:
    """A database that processes share, and one connection in it.

    Attributes:
        own: This process's connections.
        user: Whose connection there is.
    """

    url: str
    calendly: Calendly
    own: Connections
    user: str

    def process(self, stall: str = "never") -> AbstractContextManager[Process]:
        """Run another process."""
        return process("refreshing_server", self.url, self.calendly.url, self.user, stall)

    async def row(self) -> Connection:
        """Read the connection."""
        row = await self.own.describe(self.user)
        assert row is not None
        return row


@pytest.fixture
async def deployment(shared_database_url: str, upstream: Calendly) -> AsyncGenerator[Deployment]:
    async with open_migrated(shared_database_url) as database:
        own = connections(database, upstream.login, upstream.clock)
        user = await connect(database, own, await upstream.sign_in())
        upstream.token_requests()
        yield Deployment(shared_database_url, upstream, own, user)


@pytest.mark.requirement("connection-leased")
async def test_two_processes_that_find_one_connection_expired_a_hundred_times_refresh_it_once_each_time(
    deployment: Deployment,
) -> None:
    calendly = deployment.calendly
    with ExitStack() as stack:
        processes = [stack.enter_context(deployment.process()) for _ in range(2)]
        assert [await each.hear() for each in processes] == ["ready"] * 2
        for number in range(TIMES):
            calendly.clock.advance(timedelta(hours=3))
            for each in processes:
                each.call(calendly.clock.now(), CALLS)
            tokens = {await each.hear() for each in processes}
            assert len(tokens) == 1
            assert calendly.is_live(tokens.pop())
            assert calendly.token_requests() == [200]
            assert (await deployment.row()).generation == number + 2


@pytest.mark.requirement("connection-leased")
async def test_a_process_killed_before_calendly_was_asked_leaves_the_refresh_to_the_next(
    deployment: Deployment,
) -> None:
    calendly = deployment.calendly
    calendly.clock.advance(timedelta(hours=3))
    with deployment.process(stall="before") as doomed:
        assert await doomed.hear() == "ready"
        doomed.call(calendly.clock.now())
        assert await doomed.hear() == "before"
        doomed.kill()
    before = calendly.clock.seconds
    tokens = await asyncio.gather(*(deployment.own.credentials(deployment.user).access_token() for _ in range(CALLS)))
    assert len(set(tokens)) == 1
    assert calendly.is_live(tokens[0])
    assert calendly.clock.seconds - before >= LEASE.total_seconds()
    assert calendly.token_requests() == [200]


async def test_a_process_killed_with_the_answer_in_its_hands_ends_in_reconnecting(deployment: Deployment) -> None:
    calendly = deployment.calendly
    calendly.clock.advance(timedelta(hours=3))
    with deployment.process(stall="after") as doomed:
        assert await doomed.hear() == "ready"
        doomed.call(calendly.clock.now())
        assert await doomed.hear() == "after"
        assert calendly.token_requests() == [200]
        doomed.kill()
    before = calendly.clock.seconds
    for _ in range(CALLS):
        with pytest.raises(Unauthenticated, match=f"no longer accepts the sign-in. .* {RECONNECT_AT}"):
            await deployment.own.credentials(deployment.user).access_token()
    assert calendly.clock.seconds - before >= LEASE.total_seconds()
    assert calendly.token_requests() == [400]
    assert (await deployment.row()).status is Status.NEEDS_REAUTH


@pytest.mark.requirement("connection-leased")
async def test_a_process_that_waits_for_a_slow_token_endpoint_keeps_the_others_waiting(deployment: Deployment) -> None:
    calendly = deployment.calendly
    calendly.clock.advance(timedelta(hours=3))
    await calendly.will(delay=0.3)
    with ExitStack() as stack:
        processes = [stack.enter_context(deployment.process()) for _ in range(2)]
        assert [await each.hear() for each in processes] == ["ready"] * 2
        for each in processes:
            each.call(calendly.clock.now(), CALLS)
        assert len({await each.hear() for each in processes}) == 1
    assert calendly.token_requests() == [200]
