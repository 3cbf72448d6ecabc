from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import func, select

from auth.endpoints.sweep import keep_house, sweep
from auth.tables import booking_key, grant, metadata, upstream_connection, user
from tests.auth.calendly_side import Calendly
from tests.auth.site import Served, make_site, serve
from tests.databases import open_migrated


async def rows(served: Served) -> dict[str, int]:
    """What there is, the audit log apart, which is kept for its own time."""
    async with served.site.database.read() as connection:
        counts = {
            table.name: await connection.scalar(select(func.count()).select_from(table))
            for table in metadata.sorted_tables
        }
    return {name: count for name, count in counts.items() if count and not name.startswith("audit_")}


@pytest.mark.requirement("retention")
async def test_in_the_end_nothing_is_left_of_anybody(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    await served.register()
    tokens = await served.sign_in(client)
    await served.refresh(client, tokens.refresh)
    await served.call("x")
    for days in (1, 30, 2, 90, 100):
        served.advance(days=days)
        await sweep(served.site)
    assert await rows(served) == {}
    assert await served.site.audit_log.recent()
    served.advance(days=400)
    await sweep(served.site)
    assert await served.site.audit_log.recent() == []


@pytest.mark.requirement("revoke-last-grant")
async def test_a_person_whose_last_token_died_of_age_is_disconnected_at_calendly(every_site: Served) -> None:
    served = every_site
    await served.sign_in()
    records = served.calendly.running.sandbox.records
    served.advance(days=29)
    await sweep(served.site)
    assert not any(token.revoked for token in records.refresh_tokens.values())
    served.advance(days=2)
    await sweep(served.site)
    await served.site.departures.finish()
    assert all(token.revoked for token in records.refresh_tokens.values())
    async with served.site.database.read() as connection:
        assert await connection.scalar(select(upstream_connection.c.status)) == "revoked"
        assert await connection.scalar(select(upstream_connection.c.refresh_token_ciphertext)) is None
        assert await connection.scalar(select(grant.c.ended_at)) == served.clock.now()


@pytest.mark.requirement("refresh-reuse")
async def test_a_used_refresh_token_is_recognised_for_as_long_as_it_would_have_been_good(served: Served) -> None:
    client = await served.register()
    first = await served.sign_in(client)
    second = await served.refresh(client, first.refresh)
    served.advance(days=29)
    await sweep(served.site)
    third = await served.refresh(client, second.refresh)
    assert (await served.try_to_refresh(client, first.refresh)).status_code == 400
    assert not await served.is_live(third.access)


@pytest.mark.requirement("code-replay")
async def test_a_used_code_is_recognised_for_as_long_as_its_family_can_live(served: Served) -> None:
    client = await served.register()
    code = await served.code(client)
    tokens = await served.redeem(client, code)
    for _ in range(7):
        served.advance(days=25)
        await sweep(served.site)
        tokens = await served.refresh(client, tokens.refresh)
    assert (await served.try_to_redeem(client, code)).status_code == 400
    assert not await served.is_live(tokens.access)


@pytest.mark.requirement("retention")
async def test_rows_do_not_grow_with_the_age_of_an_agent(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    sizes: list[int] = []
    for _ in range(4):
        for _ in range(10):
            served.advance(days=3)
            tokens = await served.refresh(client, tokens.refresh)
        await sweep(served.site)
        sizes.append(sum((await rows(served)).values()))
    assert len(set(sizes[1:])) == 1


async def test_an_idempotency_key_is_dropped_when_its_time_is_over(every_site: Served) -> None:
    served = every_site
    now = served.site.now()
    async with served.site.database.begin() as connection:
        row = {"digest": "digest", "outcome_ciphertext": b"sealed", "expires_at": now + timedelta(hours=24)}
        await connection.execute(booking_key.insert().values(row))
    for hours, left in ((23, {"booking_key": 1}), (1, {})):
        served.advance(hours=hours)
        await sweep(served.site)
        assert await rows(served) == left


async def test_a_person_who_signs_in_again_is_not_forgotten(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    await served.revoke(client, tokens.refresh)
    served.advance(days=2)
    again = await served.sign_in(client)
    await sweep(served.site)
    assert await served.is_live(again.access)
    async with served.site.database.read() as connection:
        assert len((await connection.execute(select(user))).all()) == 1


async def test_several_processes_sweep_at_once(every_site: Served) -> None:
    served = every_site
    for _ in range(5):
        await served.sign_in()
    served.advance(days=40)
    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(sweep, served.site)
    async with served.site.database.read() as connection:
        live = await connection.scalar(select(func.count()).select_from(grant).where(grant.c.ended_at.is_(None)))
    assert live == 0


class EnoughError(Exception):
    """The test has seen what it wanted."""


async def test_housekeeping_goes_on_after_a_failure(upstream: Calendly, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "auth.endpoints.sweep")
    slept: list[float] = []
    async with open_migrated() as database:
        served = serve(make_site(database, upstream), upstream)
        await served.register()
        served.advance(days=31)
        async with AsyncExitStack() as somebody_elses:

            async def sleep(seconds: float) -> None:
                slept.append(seconds)
                await somebody_elses.aclose()
                if len(slept) == 2:
                    raise EnoughError

            await somebody_elses.enter_async_context(database.begin(patience=60))
            with pytest.raises(EnoughError):
                await keep_house(make_site(replace(database, patience=2), upstream), sleep)
        assert await rows(served) == {}
    assert slept == [60.0, 60.0]
    assert caplog.text.count("housekeeping will be tried again") == 1
