"""Several processes that share one connection, and what becomes of a refresh when one is killed in the middle."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from auth.upstream.connection import Status
from calendly.errors import Unauthenticated
from tests.auth.calendly_side import Calendly
from tests.auth.places import Place, connect_in, connect_on
from tests.databases import FILE, POSTGRESQL, new_url, open_migrated

TIMES = 50
CALLS = 10
OVER = timedelta(hours=3)


@pytest.fixture(params=["machine", FILE, POSTGRESQL])
async def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_upstream: Calendly) -> AsyncGenerator[Place]:
    """A connection that somebody just made, wherever several processes can share it."""
    if request.param == "machine":
        yield await connect_on(tmp_path / "data", fresh_upstream)
        return
    url = new_url(request)
    async with open_migrated(url) as database:
        yield await connect_in(database, url, fresh_upstream)


@pytest.mark.requirement("connection-leased", "login-shared")
async def test_two_processes_that_find_one_connection_expired_again_and_again_refresh_it_once_each_time(
    place: Place,
) -> None:
    calendly = place.calendly
    with ExitStack() as stack:
        processes = [stack.enter_context(place.process()) for _ in range(2)]
        assert [await each.hear() for each in processes] == ["ready"] * 2
        for number in range(TIMES):
            calendly.clock.advance(OVER)
            for each in processes:
                each.call(calendly.clock.now(), CALLS)
            tokens = {await each.hear() for each in processes}
            assert len(tokens) == 1
            assert calendly.is_live(tokens.pop())
            assert calendly.token_requests() == [200]
            assert (await place.connection()).generation == number + 2


async def kill_one(place: Place, stall: str) -> None:
    """Have a process begin to refresh and kill it there."""
    place.calendly.clock.advance(OVER)
    with place.process(stall) as doomed:
        assert await doomed.hear() == "ready"
        doomed.call(place.calendly.clock.now())
        assert await doomed.hear() == stall
        doomed.kill()


@pytest.mark.requirement("connection-leased", "login-shared")
async def test_a_process_killed_before_calendly_was_asked_leaves_the_refresh_to_the_next(place: Place) -> None:
    await kill_one(place, "before")
    calendly, call = place.calendly, place.refresher().credentials(place.user)
    before = calendly.clock.seconds
    tokens = await asyncio.gather(*(call.access_token() for _ in range(CALLS)))
    assert len(set(tokens)) == 1
    assert calendly.is_live(tokens[0])
    assert place.held_up <= calendly.clock.seconds - before < place.held_up + 1
    assert calendly.token_requests() == [200]


@pytest.mark.requirement("connection-leased", "login-shared")
async def test_a_process_killed_with_the_answer_in_its_hands_ends_in_signing_in_again(place: Place) -> None:
    await kill_one(place, "after")
    calendly, call = place.calendly, place.refresher().credentials(place.user)
    assert calendly.token_requests() == [200]
    before = calendly.clock.seconds
    for _ in range(CALLS):
        with pytest.raises(Unauthenticated, match=f"no longer accepts the sign-in. .*{place.remedy}"):
            await call.access_token()
    assert place.held_up <= calendly.clock.seconds - before < place.held_up + 1
    assert calendly.token_requests() == [400]
    assert (await place.connection()).status is Status.NEEDS_REAUTH


@pytest.mark.requirement("connection-leased", "login-shared")
async def test_a_process_that_waits_for_a_slow_token_endpoint_keeps_the_others_waiting(place: Place) -> None:
    calendly = place.calendly
    calendly.clock.advance(OVER)
    await calendly.will(delay=0.3)
    with ExitStack() as stack:
        processes = [stack.enter_context(place.process()) for _ in range(2)]
        assert [await each.hear() for each in processes] == ["ready"] * 2
        for each in processes:
            each.call(calendly.clock.now(), CALLS)
        assert len({await each.hear() for each in processes}) == 1
    assert calendly.token_requests() == [200]
