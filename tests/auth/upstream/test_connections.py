"""What a database adds to refreshing: leases, revocation from elsewhere, and its own failures."""

import asyncio
import logging
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from auth.tables import upstream_connection
from auth.upstream.connection import LEASE, RefreshFailure, Status
from auth.upstream.connection_rows import ConnectionRows
from auth.upstream.refresher import Refresher
from calendly.errors import Unauthenticated, Unreachable
from calendly.scopes import SCOPES
from storage.database import Database, open_database
from tests.auth.calendly_side import ASKED, KEYRING, RECONNECT_AT, Calendly
from tests.auth.places import InDatabase, Interlude, connect_in, in_database
from tests.databases import open_migrated

OVER = timedelta(hours=3)
NOBODY = "https://api.calendly.com/users/NOBODY"

IMPATIENT = 0.2
"""Seconds for a transaction of which the test knows that it cannot be had."""

LONGER_THAN_ANY_WRITER = 120.0
"""Seconds: whoever waits for the lock gives up before its holder does."""


@pytest.fixture
async def place(database: Database, database_url: str, fresh_upstream: Calendly) -> InDatabase:
    """A connection that somebody just made, in each kind of database."""
    return await connect_in(database, database_url, fresh_upstream)


async def token(refresher: Refresher, place: InDatabase) -> str:
    return await refresher.credentials(place.user).access_token()


@pytest.mark.requirement("connection-401")
async def test_somebody_who_never_connected_is_told_where_to(place: InDatabase) -> None:
    made = place.connections()
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await made.refresher.credentials(NOBODY).access_token()
    assert await made.read(NOBODY) is None


@pytest.mark.requirement("connection-leased")
async def test_a_clock_that_jumps_ahead_in_the_middle_costs_a_request_and_never_the_connection(
    place: InDatabase,
) -> None:
    jumps: list[Interlude] = []

    async def jump() -> None:
        if not jumps:
            jumps.append(jump)
            place.calendly.clock.advance(timedelta(days=1))
            with pytest.raises(Unauthenticated):
                await token(place.refresher(), place)

    place.calendly.clock.advance(OVER)
    new = await token(place.refresher(after=jump), place)
    row = await place.connection()
    assert (row.generation, row.status) == (3, Status.ACTIVE)
    assert place.calendly.is_live(new)
    assert place.calendly.token_requests() == [200, 400, 200]


@pytest.mark.requirement("connection-leased")
async def test_a_clock_that_jumps_back_holds_a_lease_no_longer_than_a_lease(place: InDatabase) -> None:
    clock = place.calendly.clock
    async with place.database.begin() as transaction:
        lease = {"lease_holder": "killed", "lease_until": clock.now() + timedelta(days=400)}
        await transaction.execute(update(upstream_connection).values(**lease))
    clock.advance(OVER)
    before = clock.seconds
    assert place.calendly.is_live(await token(place.refresher(), place))
    assert LEASE.total_seconds() <= clock.seconds - before < LEASE.total_seconds() + 1


@pytest.mark.requirement("connection-kept")
async def test_a_connection_revoked_during_a_refresh_stays_revoked_and_the_new_tokens_end_at_calendly(
    place: InDatabase,
) -> None:
    async def disconnect() -> None:
        async with place.database.begin() as transaction:
            assert await place.connections().detach(transaction, place.user) is not None

    place.calendly.clock.advance(OVER)
    with pytest.raises(Unauthenticated):
        await token(place.refresher(after=disconnect), place)
    assert (await place.connection()).status is Status.REVOKED
    assert all(each.revoked for each in place.calendly.running.sandbox.records.refresh_tokens.values())


async def test_detaching_deletes_the_ciphertext_and_ending_revokes_both_tokens(place: InDatabase) -> None:
    made, calendly = place.connections(), place.calendly
    access = await token(made.refresher, place)
    async with place.database.begin() as transaction:
        tokens = await made.detach(transaction, place.user)
        assert await made.detach(transaction, place.user) is None
    assert tokens is not None
    assert calendly.is_live(access)
    await made.end(tokens)
    assert not calendly.is_live(access)
    assert all(each.revoked for each in calendly.running.sandbox.records.refresh_tokens.values())
    async with place.database.read() as transaction:
        table = upstream_connection.c
        left = await transaction.execute(select(table.access_token_ciphertext, table.refresh_token_ciphertext))
        assert [*left] == [(None, None)]
    with pytest.raises(Unauthenticated, match=RECONNECT_AT):
        await token(made.refresher, place)


async def test_where_calendly_cannot_be_told_the_log_says_so(
    place: InDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    made = place.connections()
    async with place.database.begin() as transaction:
        tokens = await made.detach(transaction, place.user)
    assert tokens is not None
    await place.calendly.will(path="/oauth/revoke", status=503)
    await made.end(tokens)
    assert "was not told" in caplog.text
    shown = (caplog.text, repr(made), repr(tokens), repr(place.calendly.application))
    secrets = (tokens.access_token, tokens.refresh_token, "sandbox-secret")
    assert not [secret for secret in secrets for each in shown if secret in each]


@pytest.mark.requirement("upstream-granted")
async def test_signing_in_again_mends_a_connection_and_notes_what_calendly_no_longer_grants(place: InDatabase) -> None:
    async with place.database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(status=Status.NEEDS_REAUTH))
    again = await place.calendly.sign_in(scopes=["users:read"])
    await place.keep(again)
    kept = await place.connection()
    assert (kept.generation, kept.status, kept.narrowed) == (2, Status.ACTIVE, frozenset({"event_types:write"}))
    assert await token(place.refresher(), place) == again.tokens.access_token


@pytest.mark.requirement("upstream-granted")
async def test_a_sign_in_from_another_browser_never_takes_from_a_connection_what_it_can_do(place: InDatabase) -> None:
    before = await place.connection()
    held = await token(place.refresher(), place)
    await place.keep(await place.calendly.sign_in(scopes=["users:read", "webhooks:read"]))
    assert await place.connection() == before
    assert await token(place.refresher(), place) == held
    wider = await place.calendly.sign_in(scopes=[*ASKED, "webhooks:read"])
    await place.keep(wider)
    assert (await place.connection()).scopes == frozenset({*ASKED, "webhooks:read"})
    assert await token(place.refresher(), place) == wider.tokens.access_token


@pytest.mark.requirement("upstream-granted")
async def test_a_refresh_replaces_the_scopes_of_a_grant_from_before_there_were_any(place: InDatabase) -> None:
    async with place.database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(scopes=None))
    assert (await place.connection()).scopes is None
    place.calendly.clock.advance(OVER)
    await token(place.refresher(), place)
    row = await place.connection()
    assert row.scopes == frozenset(ASKED)
    assert row.narrowed == frozenset(SCOPES) - {*ASKED, "event_types:read"}


@pytest.mark.requirement("connection-leased")
async def test_of_two_that_saw_the_lease_free_one_gets_it(place: InDatabase) -> None:
    seen = await place.connection()
    rows = ConnectionRows(KEYRING)
    until = place.calendly.clock.now() + LEASE
    claims = [replace(seen, lease_holder=name, lease_until=until) for name in ("one", "other")]
    async with place.database.begin() as transaction:
        assert [await rows.claim(transaction, seen, claimed) for claimed in claims] == [True, False]
        assert not await rows.fail(transaction, claims[1], replace(seen, failure=RefreshFailure.BUSY))
        assert not await rows.claim(transaction, replace(seen, generation=7), claims[1])
    assert await place.connection() == claims[0]


@pytest.mark.requirement("connection-leased")
async def test_a_sign_in_during_a_refresh_is_what_stays(place: InDatabase) -> None:
    again = await place.calendly.sign_in()

    async def sign_in() -> None:
        await place.keep(again)

    async with place.database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(expires_at=place.calendly.clock.now()))
    made = place.refresher(after=sign_in)
    assert await made.token(place.user) == (2, again.tokens.access_token)
    assert place.calendly.is_live(again.tokens.access_token)


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

    async def release(self) -> None:
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
    shared_database_url: str, fresh_upstream: Calendly, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_migrated(shared_database_url) as database, open_database(shared_database_url, patience=60) as own:
        place = await connect_in(database, shared_database_url, fresh_upstream)
        lock = Lock(database)

        async def lock_out() -> None:
            await lock.take()
            made.database = replace(own, patience=IMPATIENT)

        async def wait(_: float) -> None:
            await lock.release()
            made.database = own

        made = in_database(own, fresh_upstream.url, fresh_upstream.clock, wait, after=lock_out)
        fresh_upstream.clock.advance(OVER)
        assert fresh_upstream.is_live(await token(made.refresher, place))
        assert (await place.connection()).generation == 2
    assert "not stored yet" in caplog.text
    assert fresh_upstream.token_requests() == [200]


async def test_a_database_that_takes_nothing_for_long_is_said_and_the_lease_is_left_to_run_out(
    shared_database_url: str, fresh_upstream: Calendly
) -> None:
    async def sleep(_: float) -> None:
        """Let no time pass."""

    async with open_migrated(shared_database_url) as database, open_database(shared_database_url, patience=60) as own:
        place = await connect_in(database, shared_database_url, fresh_upstream)
        lock = Lock(database)

        async def lock_out() -> None:
            await lock.take()
            made.database = replace(own, patience=IMPATIENT)

        made = in_database(own, fresh_upstream.url, fresh_upstream.clock, sleep, after=lock_out)
        fresh_upstream.clock.advance(OVER)
        with pytest.raises(Unreachable, match="database does not give"):
            await token(made.refresher, place)
        await lock.release()
        row = await place.connection()
        assert (row.generation, row.status) == (1, Status.ACTIVE)
        assert row.lease_until == fresh_upstream.clock.now() + LEASE


async def test_a_token_that_does_not_open_is_said_and_asks_calendly_nothing(place: InDatabase) -> None:
    async with place.database.begin() as transaction:
        await transaction.execute(update(upstream_connection).values(refresh_token_ciphertext=b"damaged"))
    place.calendly.clock.advance(OVER)
    with pytest.raises(Unreachable, match="database does not give"):
        await token(place.refresher(), place)
    assert (await place.connection()).lease_holder is None
    assert place.calendly.token_requests() == []
