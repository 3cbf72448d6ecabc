from datetime import UTC, datetime, timedelta

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.access.daily_limit_rows import count, uncount
from auth.access.daily_limits import PERIOD, Full, Taken, give_back, take
from tests.auth.site import Site

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
HOURS = st.lists(st.integers(-48, 0), max_size=30)


def ago(hours: int) -> datetime:
    return NOW - timedelta(hours=hours)


def test_so_many_are_allowed_and_the_next_one_when_the_first_is_a_day_old() -> None:
    assert take((), 2, NOW) == Taken((NOW,))
    assert take((ago(30), ago(5)), 2, NOW) == Taken((ago(5), NOW))
    assert take((ago(23), ago(5)), 2, NOW) == Full(ago(23) + PERIOD)
    assert take((ago(23), ago(5), ago(1)), 2, NOW) == Full(ago(5) + PERIOD)
    assert take((), 0, NOW) == Full(None)


def test_what_was_not_booked_after_all_does_not_count() -> None:
    assert give_back((ago(2), NOW), NOW) == (ago(2),)
    assert give_back((ago(2),), NOW) == (ago(2),)


@given(hours=HOURS, limit=st.integers(0, 5))
def test_there_are_never_more_than_the_limit_within_a_day(hours: list[int], limit: int) -> None:
    counted: tuple[datetime, ...] = ()
    for instant in sorted(ago(-hour) for hour in hours):
        decision = take(counted, limit, instant)
        if isinstance(decision, Taken):
            counted = decision.counted
            assert len([other for other in counted if other > instant - PERIOD]) <= limit
        elif decision.until is not None:
            assert isinstance(take(counted, limit, decision.until), Taken)


@pytest.mark.anyio
async def test_of_many_calls_at_once_on_two_replicas_exactly_so_many_get_through(every_site: Site) -> None:
    realm = every_site.realm
    grant = await _only_grant(every_site)
    allowed: list[datetime] = []

    async def book(number: int) -> None:
        async with realm.database.begin() as connection:
            decision = await count(connection, grant, 3, NOW + timedelta(seconds=number))
        if isinstance(decision, Taken):
            allowed.append(decision.counted[-1])

    async with anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(book, number)
    assert len(allowed) == 3
    async with realm.database.begin() as connection:
        await uncount(connection, grant, allowed[0], NOW)
        assert isinstance(await count(connection, grant, 3, NOW + timedelta(minutes=1)), Taken)
        assert isinstance(await count(connection, grant, 3, NOW + timedelta(minutes=1)), Full)


async def _only_grant(site: Site) -> str:
    tokens = await site.sign_in()
    return str((await site.call(tokens.access)).json()["grant_id"])
