import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from typing_extensions import override

from auth.tables import upstream_connection
from auth.upstream.application import Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.connection_rows import ConnectionRows
from auth.upstream.connections import Connections
from auth.upstream.lease import LEASE, Connection, Failure, Status
from auth.upstream.login import Tokens, Upstream
from calendly.errors import RateLimited, Unauthenticated, Unreachable
from calendly.scopes import SCOPES
from storage.database import Database, open_database
from storage.errors import StorageUnavailable
from tests.auth.calendly_side import ASKED, KEYRING, RECONNECT_AT, REDIRECT_URI, Calendly, connect, connections
from tests.databases import open_migrated

pytestmark = pytest.mark.anyio

LATE = timedelta(hours=1, minutes=50)
OVER = timedelta(hours=3)

LONGER_THAN_ANY_WRITER = 120.0
"""Seconds: whoever waits for the lock gives up before its holder does."""

Interlude = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Let the others go on."""
    await asyncio.sleep(0)


class Interrupted(CalendlyLogin):
    """Calendly's login, with something that happens in the middle of every refresh."""

    def __init__(self, calendly: Calendly, *, before: Interlude = nothing, after: Interlude = nothing) -> None:
        super().__init__(
            Configured(calendly.application), redirect_uri=REDIRECT_URI, api_url=calendly.url, now=calendly.clock.now
        )
        self.before, self.after = before, after

    @override
    async def refresh(self, refresh_token: str) -> Tokens:
        await self.before()
        tokens = await super().refresh(refresh_token)
        await self.after()
        return tokens


async def connected(
    database: Database, calendly: Calendly, upstream: Upstream | None = None
) -> tuple[Connections, str]:
    """Sign in, and return one process's connections and whose there is."""
    made = connections(database, upstream or calendly.login, calendly.clock)
    user = await connect(database, made, await calendly.sign_in())
    calendly.token_requests()
    return made, user


async def row_of(made: Connections, user: str) -> Connection:
    row = await made.describe(user)
    assert row is not None
    return row


async def test_a_fresh_token_is_sent_as_it_is(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    token = await made.credentials(user).access_token()
    assert upstream.is_live(token)
    assert upstream.token_requests() == []


@pytest.mark.requirement("connection-early")
async def test_a_token_near_its_end_is_refreshed_before_it_ends(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    old = await made.credentials(user).access_token()
    upstream.clock.advance(LATE)
    new = await made.credentials(user).access_token()
    assert new != old
    assert upstream.is_live(new)
    assert upstream.token_requests() == [200]
    row = await row_of(made, user)
    assert (row.generation, row.status, row.lease_holder, row.scopes) == (2, Status.ACTIVE, None, frozenset(ASKED))


@pytest.mark.requirement("connection-joined")
async def test_a_hundred_calls_at_once_make_one_request(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(OVER)
    tokens = await asyncio.gather(*(made.credentials(user).access_token() for _ in range(100)))
    assert len(set(tokens)) == 1
    assert upstream.is_live(tokens[0])
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("connection-leased")
async def test_the_loser_of_the_lease_waits_for_the_winners_token(database: Database, upstream: Calendly) -> None:
    other: list[asyncio.Task[str]] = []
    loser, user = await connected(database, upstream)

    async def let_the_other_in() -> None:
        other.append(asyncio.create_task(loser.credentials(user).access_token()))
        await upstream.clock.asleep.wait()

    winner = connections(database, Interrupted(upstream, before=let_the_other_in), upstream.clock)
    upstream.clock.advance(OVER)
    token = await winner.credentials(user).access_token()
    assert await other[0] == token
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("connection-joined")
async def test_a_caller_that_is_cancelled_leaves_the_refresh_to_the_others(
    database: Database, upstream: Calendly
) -> None:
    begun = asyncio.Event()

    async def begin() -> None:
        begun.set()

    made, user = await connected(database, upstream, Interrupted(upstream, before=begin))
    upstream.clock.advance(OVER)
    call = asyncio.create_task(made.credentials(user).access_token())
    await begun.wait()
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert call.cancelled()
    await made.finish()
    assert (await row_of(made, user)).generation == 2
    assert upstream.is_live(await made.credentials(user).access_token())
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("connection-401")
async def test_after_a_401_the_token_is_refreshed_once_and_however_many_ask(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    calls = [made.credentials(user) for _ in range(20)]
    old = {await call.access_token() for call in calls}
    upstream.clock.advance(timedelta(minutes=5))
    assert all(await asyncio.gather(*(call.renew() for call in calls)))
    new = {await call.access_token() for call in calls}
    assert len(new) == 1
    assert new != old
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("connection-401")
async def test_a_second_401_within_a_minute_refreshes_nothing(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(timedelta(minutes=5))
    call = made.credentials(user)
    for _ in range(3):
        await call.access_token()
        assert await call.renew()
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("connection-401")
async def test_a_401_says_where_to_reconnect_when_calendly_has_ended_the_grant(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    call = made.credentials(user)
    await call.access_token()
    upstream.running.sandbox.records.refresh_tokens.clear()
    upstream.clock.advance(timedelta(minutes=5))
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await call.renew()
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await made.credentials(user).access_token()
    assert upstream.token_requests() == [400]
    assert (await row_of(made, user)).status is Status.NEEDS_REAUTH


async def test_credentials_that_sent_nothing_have_nothing_to_renew(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    assert not await made.credentials(user).renew()


@pytest.mark.requirement("connection-401")
async def test_somebody_who_never_connected_is_told_where_to(database: Database, upstream: Calendly) -> None:
    made = connections(database, upstream.login, upstream.clock)
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await made.credentials("https://api.calendly.com/users/NOBODY").access_token()
    assert await made.describe("https://api.calendly.com/users/NOBODY") is None


@pytest.mark.requirement("upstream-429")
async def test_a_429_stops_requests_for_that_person_until_retry_after(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(OVER)
    await upstream.will(status=429, headers={"Retry-After": "45"})
    for _ in range(5):
        with pytest.raises(RateLimited) as refused:
            await made.credentials(user).access_token()
        assert refused.value.retry_after == 45
    assert upstream.token_requests() == [429]
    row = await row_of(made, user)
    assert (row.status, row.failure) == (Status.ACTIVE, Failure.BUSY)
    upstream.clock.advance(timedelta(seconds=45))
    assert upstream.is_live(await made.credentials(user).access_token())
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("upstream-429")
async def test_during_a_pause_a_token_that_is_still_good_is_sent(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(LATE)
    await upstream.will(status=429, headers={"Retry-After": "45"})
    call = made.credentials(user)
    assert upstream.is_live(await call.access_token())
    assert not await call.renew()
    assert upstream.token_requests() == [429]


@pytest.mark.requirement("connection-one-request")
@pytest.mark.parametrize("fault", [{"status": 503}, {"status": 500, "body": "<html>"}, {"drop": True}])
async def test_a_failure_of_calendlys_leaves_the_connection_and_is_tried_again_later(
    database: Database, upstream: Calendly, fault: dict[str, object]
) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(OVER)
    await upstream.will(**fault)
    for _ in range(3):
        with pytest.raises(Unreachable, match="in 10 seconds"):
            await made.credentials(user).access_token()
    assert len(upstream.token_requests()) == 1
    upstream.clock.advance(timedelta(seconds=10))
    assert upstream.is_live(await made.credentials(user).access_token())
    assert upstream.token_requests() == [200]


@pytest.mark.requirement("connection-one-request")
async def test_an_answer_that_is_lost_ends_in_reconnecting_and_in_no_second_use_of_the_token(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(OVER)
    await upstream.will(drop="after")
    with pytest.raises(Unreachable):
        await made.credentials(user).access_token()
    upstream.clock.advance(timedelta(seconds=10))
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await made.credentials(user).access_token()
    assert upstream.token_requests() == [None, 400]


@pytest.mark.requirement("connection-kept")
async def test_an_application_that_calendly_refuses_is_the_operators_matter(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    upstream.running.sandbox.records.clients.clear()
    upstream.clock.advance(OVER)
    with pytest.raises(Unauthenticated, match="id or secret is wrong"):
        await made.credentials(user).access_token()
    assert (await row_of(made, user)).status is Status.ACTIVE


async def test_tokens_of_somebody_else_are_not_kept(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    upstream.clock.advance(OVER)
    for token in upstream.running.sandbox.records.refresh_tokens.values():
        token.user = [*upstream.running.sandbox.records.users][1]
    with pytest.raises(Unauthenticated):
        await made.credentials(user).access_token()
    row = await row_of(made, user)
    assert (row.generation, row.failure) == (1, Failure.REFUSED)


@pytest.mark.requirement("connection-leased")
async def test_a_clock_that_jumps_ahead_in_the_middle_costs_a_request_and_never_the_connection(
    database: Database, upstream: Calendly
) -> None:
    impatient, user = await connected(database, upstream)

    async def jump() -> None:
        patient_login.after = nothing
        upstream.clock.advance(timedelta(days=1))
        with pytest.raises(Unauthenticated):
            await impatient.credentials(user).access_token()

    patient_login = Interrupted(upstream, after=jump)
    patient = connections(database, patient_login, upstream.clock)
    upstream.clock.advance(OVER)
    token = await patient.credentials(user).access_token()
    row = await row_of(patient, user)
    assert (row.generation, row.status) == (3, Status.ACTIVE)
    assert upstream.is_live(token)
    assert upstream.token_requests() == [200, 400, 200]


@pytest.mark.requirement("connection-leased")
async def test_a_clock_that_jumps_back_holds_a_lease_no_longer_than_a_lease(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    async with database.begin() as transaction:
        lease = {"lease_holder": "killed", "lease_until": upstream.clock.now() + timedelta(days=400)}
        await transaction.execute(update(upstream_connection).values(**lease))
    upstream.clock.advance(OVER)
    before = upstream.clock.seconds
    assert upstream.is_live(await made.credentials(user).access_token())
    waited = upstream.clock.seconds - before
    assert LEASE.total_seconds() <= waited < LEASE.total_seconds() + 1


@pytest.mark.requirement("connection-kept")
async def test_a_connection_revoked_during_a_refresh_stays_revoked_and_the_new_tokens_end_at_calendly(
    database: Database, upstream: Calendly
) -> None:
    other, user = await connected(database, upstream)

    async def disconnect() -> None:
        async with database.begin() as transaction:
            assert await other.detach(transaction, user) is not None

    made = connections(database, Interrupted(upstream, after=disconnect), upstream.clock)
    upstream.clock.advance(OVER)
    with pytest.raises(Unauthenticated):
        await made.credentials(user).access_token()
    assert (await row_of(made, user)).status is Status.REVOKED
    assert all(token.revoked for token in upstream.running.sandbox.records.refresh_tokens.values())


async def test_detaching_deletes_the_ciphertext_and_ending_revokes_both_tokens(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    access = await made.credentials(user).access_token()
    async with database.begin() as transaction:
        tokens = await made.detach(transaction, user)
        assert await made.detach(transaction, user) is None
    assert tokens is not None
    assert upstream.is_live(access)
    await made.end(tokens)
    assert not upstream.is_live(access)
    assert all(token.revoked for token in upstream.running.sandbox.records.refresh_tokens.values())
    async with database.read() as transaction:
        table = upstream_connection.c
        left = await transaction.execute(select(table.access_token_ciphertext, table.refresh_token_ciphertext))
        assert [*left] == [(None, None)]
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await made.credentials(user).access_token()


async def test_where_calendly_cannot_be_told_the_log_says_so(
    database: Database, upstream: Calendly, caplog: pytest.LogCaptureFixture
) -> None:
    made, user = await connected(database, upstream)
    async with database.begin() as transaction:
        tokens = await made.detach(transaction, user)
    assert tokens is not None
    await upstream.will(path="/oauth/revoke", status=503)
    await made.end(tokens)
    assert "was not told" in caplog.text


@pytest.mark.requirement("upstream-granted")
async def test_signing_in_again_mends_a_connection_and_notes_what_calendly_no_longer_grants(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    async with database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(status=Status.NEEDS_REAUTH))
    again = await upstream.sign_in(scopes=["users:read"])
    async with database.begin() as transaction:
        kept = await made.keep(transaction, again)
    assert kept == await made.describe(user)
    assert (kept.generation, kept.status, kept.narrowed) == (2, Status.ACTIVE, frozenset({"event_types:write"}))
    assert await made.credentials(user).access_token() == again.tokens.access_token


@pytest.mark.requirement("upstream-granted")
async def test_a_refresh_replaces_the_scopes_of_a_grant_from_before_there_were_any(
    database: Database, upstream: Calendly
) -> None:
    made, user = await connected(database, upstream)
    async with database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(scope=None))
    assert (await row_of(made, user)).scopes is None
    upstream.clock.advance(OVER)
    await made.credentials(user).access_token()
    row = await row_of(made, user)
    assert row.scopes == frozenset(ASKED)
    assert row.narrowed == frozenset(SCOPES) - {*ASKED, "event_types:read"}


@dataclass
class Lock:
    """A transaction of somebody else's that lets nobody write."""

    database: Database
    held: asyncio.Event = field(default_factory=asyncio.Event)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    task: asyncio.Task[None] | None = None

    async def take(self) -> None:
        """Begin it."""
        self.task = asyncio.create_task(self._hold())
        await self.held.wait()

    async def release(self, _: float = 0) -> None:
        """End it."""
        self.released.set()
        if self.task:
            await self.task

    async def _hold(self) -> None:
        async with self.database.begin(patience=LONGER_THAN_ANY_WRITER) as transaction:
            await transaction.execute(select(upstream_connection).with_for_update())
            self.held.set()
            await self.released.wait()


@pytest.mark.requirement("connection-kept")
async def test_new_tokens_are_not_lost_while_the_database_takes_nothing(
    shared_database_url: str, upstream: Calendly, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_migrated(shared_database_url) as database, open_database(shared_database_url, patience=2) as own:
        _, user = await connected(database, upstream)
        lock = Lock(database)
        made = connections(own, Interrupted(upstream, after=lock.take), upstream.clock, sleep=lock.release)
        upstream.clock.advance(OVER)
        assert upstream.is_live(await made.credentials(user).access_token())
        assert (await row_of(made, user)).generation == 2
    assert "not stored yet" in caplog.text
    assert upstream.token_requests() == [200]


async def test_a_database_that_takes_nothing_for_long_is_said_and_the_lease_is_left_to_run_out(
    shared_database_url: str, upstream: Calendly
) -> None:
    async def sleep(_: float) -> None:
        """Let no time pass."""

    async with open_migrated(shared_database_url) as database, open_database(shared_database_url, patience=2) as own:
        _, user = await connected(database, upstream)
        lock = Lock(database)
        made = connections(own, Interrupted(upstream, after=lock.take), upstream.clock, sleep=sleep)
        upstream.clock.advance(OVER)
        with pytest.raises(StorageUnavailable):
            await made.token(user)
        await lock.release()
        row = await row_of(made, user)
        assert (row.generation, row.status) == (1, Status.ACTIVE)
        assert row.lease_until == upstream.clock.now() + LEASE


@pytest.mark.requirement("connection-leased")
async def test_of_two_that_saw_the_lease_free_one_gets_it(database: Database, upstream: Calendly) -> None:
    made, user = await connected(database, upstream)
    seen = await row_of(made, user)
    rows = ConnectionRows(KEYRING)
    until = upstream.clock.now() + LEASE
    claims = [replace(seen, lease_holder=name, lease_until=until) for name in ("one", "other")]
    async with database.begin() as transaction:
        assert [await rows.claim(transaction, seen, claimed) for claimed in claims] == [True, False]
        assert not await rows.fail(transaction, claims[1], replace(seen, failure=Failure.BUSY))
        assert not await rows.claim(transaction, replace(seen, generation=7), claims[1])
    assert await made.describe(user) == claims[0]


@pytest.mark.requirement("connection-leased")
async def test_a_sign_in_during_a_refresh_is_what_stays(database: Database, upstream: Calendly) -> None:
    other, user = await connected(database, upstream)
    again = await upstream.sign_in()

    async def sign_in() -> None:
        async with database.begin() as transaction:
            await other.keep(transaction, again)

    made = connections(database, Interrupted(upstream, after=sign_in), upstream.clock)
    upstream.clock.advance(timedelta(minutes=10))
    with pytest.raises(Unauthenticated):
        await made.token("https://api.calendly.com/users/NOBODY")
    async with database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(expires_at=upstream.clock.now()))
    assert await made.token(user) == (2, again.tokens.access_token)
    assert upstream.is_live(again.tokens.access_token)


async def test_no_secret_is_in_what_is_logged_shown_or_stored(
    database: Database, upstream: Calendly, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made, user = await connected(database, upstream)
    first = await made.credentials(user).access_token()
    upstream.clock.advance(OVER)
    await upstream.will(status=503)
    with pytest.raises(Unreachable) as failure:
        await made.credentials(user).access_token()
    upstream.clock.advance(OVER)
    second = await made.credentials(user).access_token()
    async with database.begin() as transaction:
        tokens = await made.detach(transaction, user)
    secrets = {first, second, "sandbox-secret", *upstream.running.sandbox.records.refresh_tokens}
    shown = [caplog.text, *map(repr, (failure.value, made, made.credentials(user), tokens, upstream.application))]
    assert not [secret for secret in secrets for each in shown if secret in each]
