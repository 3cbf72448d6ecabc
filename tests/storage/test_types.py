"""What a column gives back is what was put in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import StatementError

from storage.database import Database
from storage.types import Instant

MOMENT = Table("moment", MetaData(), Column("id", Integer, primary_key=True), Column("at", Instant))
DIALECT = sqlite.dialect()

MOMENTS = st.datetimes(timezones=st.timezones()).filter(lambda moment: 1 < moment.year < 9999)


@given(MOMENTS)
def test_an_instant_keeps_every_microsecond_in_any_zone(moment: datetime) -> None:
    instant = Instant()
    stored = instant.process_bind_param(moment, DIALECT)
    # Python calls a time that the clocks skip equal to nothing, so both stand in UTC.
    assert instant.process_result_value(stored, DIALECT) == moment.astimezone(UTC)


@given(MOMENTS, MOMENTS)
def test_stored_instants_are_ordered_as_the_moments_are(one: datetime, other: datetime) -> None:
    stored = [Instant().process_bind_param(moment, DIALECT) or 0 for moment in (one, other)]
    assert (one.astimezone(UTC) < other.astimezone(UTC)) == (stored[0] < stored[1])


async def test_an_instant_comes_back_in_utc_and_null_stays_null(database: Database) -> None:
    noon = datetime(2026, 12, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    async with database.begin() as connection:
        await connection.run_sync(MOMENT.create)
        await connection.execute(insert(MOMENT), [{"id": 1, "at": noon}, {"id": 2, "at": None}])
    async with database.read() as connection:
        stored = (await connection.execute(select(MOMENT.c.at).order_by(MOMENT.c.id))).scalars().all()
        found = (await connection.execute(select(MOMENT.c.id).where(MOMENT.c.at <= noon))).scalars().all()
    assert stored == [noon, None]
    assert stored[0] is not None
    assert stored[0].tzinfo is UTC
    assert found == [1]


async def test_a_naive_datetime_is_refused(database: Database) -> None:
    async with database.begin() as connection:
        await connection.run_sync(MOMENT.create)
    naive = datetime(2026, 12, 1, 12)  # noqa: DTZ001 - what must not be stored
    with pytest.raises(StatementError, match="aware"):
        async with database.begin() as connection:
            await connection.execute(insert(MOMENT).values(id=1, at=naive))
