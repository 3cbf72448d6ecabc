from contextlib import AsyncExitStack
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select

from auth.endpoints.sweep import keep_house, sweep
from auth.tables import booking_key, grant, metadata, upstream_connection, user
from tests.auth.calendly_side import Calendly
from tests.auth.site import Site, make_realm, serve
from tests.databases import open_migrated


async def rows(site: Site) -> dict[str, int]:
    """What there is, the audit log apart, which is kept for its own time."""
    async with site.realm.database.read() as connection:
        counts = {
            table.name: await connection.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count and not name.startswith("audit_")}


@pytest.mark.anyio
@pytest.mark.requirement("retention")
async def test_in_the_end_nothing_is_left_of_anybody(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    await site.register()
    tokens = await site.sign_in(client)
    await site.refresh(client, tokens.refresh)
    await site.call("x")
    for days in (1, 30, 2, 90, 100):
        site.advance(days=days)
        await sweep(site.realm)
    assert await rows(site) == {}
    assert await site.realm.audit_log.recent()
    site.advance(days=400)
    await sweep(site.realm)
    assert await site.realm.audit_log.recent() == []


@pytest.mark.anyio
@pytest.mark.requirement("revoke-last-grant")
async def test_a_person_whose_last_token_died_of_age_is_disconnected_at_calendly(every_site: Site) -> None:
    site = every_site
    await site.sign_in()
    records = site.calendly.running.sandbox.records
    site.advance(days=29)
    await sweep(site.realm)
    assert not any(token.revoked for token in records.refresh_tokens.values())
    site.advance(days=2)
    await sweep(site.realm)
    assert all(token.revoked for token in records.refresh_tokens.values())
    async with site.realm.database.read() as connection:
        assert await connection.scalar(select(upstream_connection.c.status)) == "revoked"
        assert await connection.scalar(select(upstream_connection.c.refresh_token_ciphertext)) is None
        assert await connection.scalar(select(grant.c.ended_at)) == site.clock.now()


@pytest.mark.anyio
@pytest.mark.requirement("refresh-reuse")
async def test_a_used_refresh_token_is_recognised_for_as_long_as_it_would_have_been_good(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    first = await site.sign_in(client)
    second = await site.refresh(client, first.refresh)
    site.advance(days=29)
    await sweep(site.realm)
    third = await site.refresh(client, second.refresh)
    assert (await site.try_to_refresh(client, first.refresh)).status_code == 400
    assert not await site.is_live(third.access)


@pytest.mark.anyio
@pytest.mark.requirement("code-replay")
async def test_a_used_code_is_recognised_for_as_long_as_its_family_can_live(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    code = await site.code(client)
    tokens = await site.redeem(client, code)
    for _ in range(7):
        site.advance(days=25)
        await sweep(site.realm)
        tokens = await site.refresh(client, tokens.refresh)
    assert (await site.try_to_redeem(client, code)).status_code == 400
    assert not await site.is_live(tokens.access)


@pytest.mark.anyio
@pytest.mark.requirement("retention")
async def test_rows_do_not_grow_with_the_age_of_an_agent(site: Site) -> None:
    client = await site.register()
    tokens = await site.sign_in(client)
    sizes: list[int] = []
    for _ in range(4):
        for _ in range(10):
            site.advance(days=3)
            tokens = await site.refresh(client, tokens.refresh)
        await sweep(site.realm)
        sizes.append(sum((await rows(site)).values()))
    assert len(set(sizes[1:])) == 1


@pytest.mark.anyio
async def test_an_idempotency_key_is_dropped_when_its_time_is_over(every_site: Site) -> None:
    site = every_site
    now = site.realm.now()
    async with site.realm.database.begin() as connection:
        row = {"digest": "digest", "outcome_ciphertext": b"sealed", "expires_at": now + timedelta(hours=24)}
        await connection.execute(booking_key.insert().values(row))
    for hours, left in ((23, {"booking_key": 1}), (1, {})):
        site.advance(hours=hours)
        await sweep(site.realm)
        assert await rows(site) == left


@pytest.mark.anyio
async def test_a_person_who_signs_in_again_is_not_forgotten(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    tokens = await site.sign_in(client)
    await site.revoke(client, tokens.refresh)
    site.advance(days=2)
    again = await site.sign_in(client)
    await sweep(site.realm)
    assert await site.is_live(again.access)
    async with site.realm.database.read() as connection:
        assert len((await connection.execute(select(user))).all()) == 1


@pytest.mark.anyio
async def test_several_processes_sweep_at_once(every_site: Site) -> None:
    site = every_site
    for _ in range(5):
        await site.sign_in()
    site.advance(days=40)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(sweep, site.realm)
    async with site.realm.database.read() as connection:
        live = await connection.scalar(select(func.count()).select_from(grant).where(grant.c.ended_at.is_(None)))
    assert live == 0


class EnoughError(Exception):
    """The test has seen what it wanted."""


@pytest.mark.anyio
async def test_housekeeping_goes_on_after_a_failure(upstream: Calendly, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "auth.endpoints.sweep")
    slept: list[float] = []
    async with open_migrated(patience=2) as database:
        site = serve(make_realm(database, upstream), upstream)
        await site.register()
        site.advance(days=31)
        async with AsyncExitStack() as somebody_elses:

            async def sleep(seconds: float) -> None:
                slept.append(seconds)
                await somebody_elses.aclose()
                if len(slept) == 2:
                    raise EnoughError

            await somebody_elses.enter_async_context(database.begin(patience=60))
            with pytest.raises(EnoughError):
                await keep_house(site.realm, sleep)
        assert await rows(site) == {}
    assert slept == [60.0, 60.0]
    assert caplog.text.count("housekeeping will be tried again") == 1
