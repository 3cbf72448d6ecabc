"""What holds of refreshing wherever the connection is kept: in a database, and on one machine."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path

import pytest

from auth.upstream.connection import RefreshFailure, Status
from calendly.errors import RateLimited, Unauthenticated, Unreachable
from storage.database import open_database
from storage.schema import migrate
from tests.auth.calendly_side import ASKED, Calendly
from tests.auth.places import Place, connect_in, connect_on

LATE = timedelta(hours=1, minutes=50)
OVER = timedelta(hours=3)
LATER = timedelta(minutes=5)


@pytest.fixture(params=["database", "machine"])
async def place(request: pytest.FixtureRequest, tmp_path: Path, fresh_upstream: Calendly) -> AsyncGenerator[Place]:
    """A connection that somebody just made."""
    if request.param == "machine":
        yield await connect_on(tmp_path / "data", fresh_upstream)
    else:
        async with open_database("sqlite://") as database:
            await migrate(database)
            yield await connect_in(database, "sqlite://", fresh_upstream)


async def token(place: Place) -> str:
    """Be one more process, of which one call wants the token."""
    return await place.refresher().credentials(place.user).access_token()


async def test_a_fresh_token_is_sent_as_it_is(place: Place) -> None:
    assert place.calendly.is_live(await token(place))
    assert place.calendly.token_requests() == []


@pytest.mark.requirement("connection-early")
async def test_a_token_near_its_end_is_refreshed_before_it_ends(place: Place) -> None:
    old = await token(place)
    place.calendly.clock.advance(LATE)
    new = await token(place)
    assert new != old
    assert place.calendly.is_live(new)
    assert place.calendly.token_requests() == [200]
    kept = await place.connection()
    assert (kept.generation, kept.status, kept.lease_holder, kept.scopes) == (2, Status.ACTIVE, None, frozenset(ASKED))


@pytest.mark.requirement("connection-joined", "login-shared")
async def test_a_hundred_calls_at_once_make_one_request(place: Place) -> None:
    place.calendly.clock.advance(OVER)
    call = place.refresher().credentials(place.user)
    tokens = await asyncio.gather(*(call.access_token() for _ in range(100)))
    assert len(set(tokens)) == 1
    assert place.calendly.is_live(tokens[0])
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("connection-leased", "login-shared")
async def test_a_process_that_comes_later_waits_for_the_token_of_the_first(place: Place) -> None:
    is_asleep, is_over = asyncio.Event(), asyncio.Event()
    other: list[asyncio.Task[str]] = []

    async def sleep(_: float) -> None:
        is_asleep.set()
        await is_over.wait()

    async def let_the_other_in() -> None:
        call = place.refresher(sleep).credentials(place.user)
        other.append(asyncio.create_task(call.access_token()))
        await is_asleep.wait()

    place.calendly.clock.advance(OVER)
    new = await place.refresher(before=let_the_other_in).credentials(place.user).access_token()
    is_over.set()
    assert await other[0] == new
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("connection-joined")
async def test_a_caller_that_is_cancelled_leaves_the_refresh_to_go_on(place: Place) -> None:
    begun = asyncio.Event()

    async def begin() -> None:
        begun.set()

    refresher = place.refresher(before=begin)
    place.calendly.clock.advance(OVER)
    call = asyncio.create_task(refresher.credentials(place.user).access_token())
    await begun.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert call.cancelled()
    await refresher.finish()
    assert (await place.connection()).generation == 2
    assert place.calendly.is_live(await refresher.credentials(place.user).access_token())
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("connection-401", "login-shared")
async def test_after_a_401_the_token_is_refreshed_once_however_many_calls_and_processes_ask(place: Place) -> None:
    first, later = (
        [process.credentials(place.user) for _ in range(10)] for process in (place.refresher(), place.refresher())
    )
    old = {await call.access_token() for call in [*first, *later]}
    place.calendly.clock.advance(LATER)
    assert all(await asyncio.gather(*(call.refresh() for call in first)))
    assert all(await asyncio.gather(*(call.refresh() for call in later)))
    new = {await call.access_token() for call in [*first, *later]}
    assert len(new) == 1
    assert new != old
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("connection-401")
async def test_a_second_401_within_a_minute_refreshes_nothing(place: Place) -> None:
    place.calendly.clock.advance(LATER)
    call = place.refresher().credentials(place.user)
    for _ in range(3):
        await call.access_token()
        assert await call.refresh()
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("connection-401")
async def test_a_401_says_how_to_sign_in_again_when_calendly_has_ended_the_grant(place: Place) -> None:
    call = place.refresher().credentials(place.user)
    await call.access_token()
    place.calendly.running.sandbox.records.refresh_tokens.clear()
    place.calendly.clock.advance(LATER)
    with pytest.raises(Unauthenticated, match=place.remedy):
        await call.refresh()
    for _ in range(2):
        with pytest.raises(Unauthenticated, match=place.remedy):
            await token(place)
    assert place.calendly.token_requests() == [400]
    assert (await place.connection()).status is Status.NEEDS_REAUTH


async def test_a_process_that_gave_up_goes_on_after_a_new_sign_in(place: Place) -> None:
    running = place.refresher().credentials(place.user)
    place.calendly.running.sandbox.records.refresh_tokens.clear()
    place.calendly.clock.advance(OVER)
    with pytest.raises(Unauthenticated):
        await running.access_token()
    again = await place.calendly.sign_in()
    await place.keep(again)
    assert await running.access_token() == again.tokens.access_token


async def test_credentials_that_sent_nothing_have_nothing_to_refresh(place: Place) -> None:
    assert not await place.refresher().credentials(place.user).refresh()


@pytest.mark.requirement("upstream-429")
async def test_a_429_stops_the_requests_of_every_process_until_retry_after(place: Place) -> None:
    place.calendly.clock.advance(OVER)
    await place.calendly.will(status=429, headers={"Retry-After": "45"})
    for _ in range(5):
        with pytest.raises(RateLimited) as refused:
            await token(place)
        assert refused.value.retry_after == 45
    assert place.calendly.token_requests() == [429]
    kept = await place.connection()
    assert (kept.status, kept.failure) == (Status.ACTIVE, RefreshFailure.BUSY)
    place.calendly.clock.advance(timedelta(seconds=45))
    assert place.calendly.is_live(await token(place))
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("upstream-429")
async def test_during_a_pause_a_token_that_is_still_good_is_sent(place: Place) -> None:
    place.calendly.clock.advance(LATE)
    await place.calendly.will(status=429, headers={"Retry-After": "45"})
    call = place.refresher().credentials(place.user)
    assert place.calendly.is_live(await call.access_token())
    assert not await call.refresh()
    assert place.calendly.token_requests() == [429]


@pytest.mark.requirement("connection-one-request")
@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 500, "body": "<html>"}, {"drop": True}])
async def test_a_failure_of_calendlys_leaves_the_connection_and_is_tried_again_later(
    place: Place, fault: dict[str, object]
) -> None:
    place.calendly.clock.advance(OVER)
    await place.calendly.will(**fault)
    call = place.refresher().credentials(place.user)
    for _ in range(3):
        with pytest.raises(Unreachable, match="in 10 seconds"):
            await call.access_token()
    assert len(place.calendly.token_requests()) == 1
    place.calendly.clock.advance(timedelta(seconds=10))
    assert place.calendly.is_live(await call.access_token())
    assert place.calendly.token_requests() == [200]


@pytest.mark.requirement("connection-one-request")
async def test_an_answer_that_is_lost_ends_in_signing_in_again_and_in_no_second_use_of_the_token(place: Place) -> None:
    place.calendly.clock.advance(OVER)
    await place.calendly.will(drop="after")
    with pytest.raises(Unreachable):
        await token(place)
    place.calendly.clock.advance(timedelta(seconds=10))
    with pytest.raises(Unauthenticated, match=place.remedy):
        await token(place)
    assert place.calendly.token_requests() == [None, 400]


@pytest.mark.requirement("connection-kept")
async def test_an_application_that_calendly_refuses_is_not_the_persons_matter(place: Place) -> None:
    place.calendly.running.sandbox.records.clients.clear()
    place.calendly.clock.advance(OVER)
    with pytest.raises(Unauthenticated, match="id or secret is wrong"):
        await token(place)
    assert (await place.connection()).status is Status.ACTIVE


async def test_tokens_of_somebody_else_are_not_kept(place: Place) -> None:
    place.calendly.clock.advance(OVER)
    records = place.calendly.running.sandbox.records
    for refresh_token in records.refresh_tokens.values():
        refresh_token.user = [*records.users][1]
    with pytest.raises(Unauthenticated):
        await token(place)
    kept = await place.connection()
    assert (kept.generation, kept.failure) == (1, RefreshFailure.REFUSED)


@pytest.mark.requirement("upstream-granted")
async def test_a_refusal_for_scope_is_explained_by_what_is_kept(place: Place) -> None:
    refresher = place.refresher()
    scopes = ["webhooks:read"]
    assert await refresher.note(scopes, user=place.user, asked=()) is None
    assert "CALENDLY_CLIENT_ID" in (await refresher.note(scopes, user=place.user, asked=scopes) or "")
    place.calendly.clock.advance(OVER)
    for refresh_token in place.calendly.running.sandbox.records.refresh_tokens.values():
        refresh_token.scopes = frozenset({"users:read"})
    await token(place)
    told = await place.refresher().note(["event_types:write"], user=place.user, asked=())
    assert place.remedy in (told or "")


async def test_no_secret_is_logged_or_shown(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    refresher = place.refresher()
    call = refresher.credentials(place.user)
    first = await call.access_token()
    place.calendly.clock.advance(OVER)
    await place.calendly.will(status=503)
    with pytest.raises(Unreachable) as failure:
        await call.access_token()
    place.calendly.clock.advance(OVER)
    secrets = {first, await call.access_token(), *place.calendly.running.sandbox.records.refresh_tokens}
    shown = [caplog.text, *map(repr, (failure.value, refresher, call, await refresher.kept.read(place.user)))]
    assert not [secret for secret in {*secrets, "sandbox-secret"} for each in shown if secret in each]
