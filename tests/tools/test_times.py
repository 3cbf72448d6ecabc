from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some
from typing_extensions import override

from calendly.errors import InsufficientScope, Unreachable
from calendly.identifiers import OrganizationId, UserId
from tests.sandbox.api import MONDAY
from tests.tools.facts import Documented
from tools.times import Day, coming_span, instant, parse_moment, parse_time, span, wire
from tools.toolset.errors import ArgumentError, DeniedByPolicy
from tools.toolset.identity import Identity


class Somewhere(Documented):
    """A caller whose time zone is given, or the error that asking for it ends in."""

    def __init__(self, zone: str | Exception | None) -> None:
        super().__init__()
        self.zone = zone

    @override
    async def identity(self) -> Identity:
        """Say where the caller is, or fail."""
        if isinstance(self.zone, Exception):
            raise self.zone
        return Identity(UserId("U"), OrganizationId("O"), self.zone)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-01T10:00:00Z",
        "2026-12-01T10:00:00.000000Z",
        "2026-12-01t10:00:00z",
        "2026-12-01 10:00Z",
        "2026-12-01T11:00:00+01:00",
        "20261201T100000Z",
    ],
)
def test_one_instant_is_one_however_it_is_written(text: str) -> None:
    assert wire(parse_time(text)) == "2026-12-01T10:00:00Z"


def test_fractions_of_a_second_stay_where_there_are_any() -> None:
    assert wire(parse_time("2026-12-01T10:00:00.5Z")) == "2026-12-01T10:00:00.500000Z"


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-12-01", "20261201", "2026-W49-2", "1764583200", "10:00", "9" * 1_000_000]
)
def test_what_is_no_time_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="2026-12-01T09:00:00Z"):
        parse_time(text)


@given(some.text())
def test_any_text_is_a_time_or_a_sentence(text: str) -> None:
    try:
        wire(parse_time(text).replace(tzinfo=UTC))
    except ValueError as fault:
        assert "2026-12-01T09:00:00Z" in str(fault)  # noqa: PT017 - either way is right


@given(
    some.datetimes(datetime(1970, 1, 2), datetime(2999, 12, 30), timezones=some.just(UTC)),  # noqa: DTZ001 - in UTC
    some.integers(-23 * 60, 23 * 60),
)
def test_every_instant_is_read_at_every_offset_and_sent_as_the_same_instant(time: datetime, offset: int) -> None:
    written = time.astimezone(timezone(timedelta(minutes=offset))).isoformat()
    assert parse_time(wire(parse_time(written))) == time


async def test_a_time_without_offset_is_in_the_callers_own_zone() -> None:
    time = datetime(2026, 12, 1, 10)  # noqa: DTZ001 - as an agent wrote it
    assert wire(await instant(Somewhere("Asia/Kolkata"), "start_time", time)) == "2026-12-01T04:30:00Z"
    assert wire(await instant(Somewhere("Asia/Kolkata"), "start_time", time, timezone="Asia/Tokyo")) == (
        "2026-12-01T01:00:00Z"
    )


async def test_an_offset_needs_no_identity() -> None:
    time = datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert await instant(Somewhere(Unreachable("down")), "start_time", time) == time


@pytest.mark.parametrize("zone", [None, "Mars/Base", InsufficientScope("users:read"), DeniedByPolicy("users is off")])
async def test_without_a_known_zone_an_offset_is_asked_for(zone: str | Exception | None) -> None:
    with pytest.raises(ArgumentError, match=r"start_time: .* add an offset"):
        await instant(Somewhere(zone), "start_time", datetime(2026, 12, 1, 10))  # noqa: DTZ001 - as an agent wrote it


async def test_a_failure_to_ask_for_the_zone_is_no_missing_zone() -> None:
    with pytest.raises(Unreachable):
        await instant(Somewhere(Unreachable("down")), "start_time", datetime(2026, 12, 1, 10))  # noqa: DTZ001 - as written


@pytest.mark.parametrize("hour", [datetime(2027, 3, 28, 2, 30), datetime(2026, 10, 25, 2, 30)])  # noqa: DTZ001 - as written
async def test_a_clock_time_that_comes_twice_or_never_is_asked_about(hour: datetime) -> None:
    with pytest.raises(ArgumentError, match="Clocks change in Europe/Berlin"):
        await instant(Somewhere("Europe/Berlin"), "start_time", hour)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-12-01", Day(date(2026, 12, 1))),
        ("20261201", Day(date(2026, 12, 1))),
        ("2026-12-01T10:00:00Z", datetime(2026, 12, 1, 10, tzinfo=UTC)),
    ],
)
def test_the_end_of_a_range_is_a_time_or_a_whole_day(text: str, moment: object) -> None:
    assert parse_moment(text) == moment


@pytest.mark.parametrize("text", ["soon", "0001-01-01", "3000-01-01", "2026-13-01", "10:00", ""])
def test_what_is_neither_a_time_nor_a_day_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="Expected"):
        parse_moment(text)


@pytest.mark.parametrize(("day", "hours"), [("2026-12-01", 24), ("2027-03-28", 23), ("2026-10-25", 25)])
async def test_a_day_as_both_ends_of_a_range_is_that_day_in_the_zone(day: str, hours: int) -> None:
    whole = await span(Somewhere("Europe/Berlin"), parse_moment(day), parse_moment(day))
    assert (whole.start.astimezone(ZoneInfo("Europe/Berlin")).date().isoformat(), whole.end - whole.start) == (
        day,
        timedelta(hours=hours),
    )


async def test_a_day_without_a_known_zone_is_asked_about() -> None:
    with pytest.raises(ArgumentError, match=r"start_time: .* add an offset"):
        await span(Somewhere(None), parse_moment("2026-12-01"), parse_moment("2026-12-02"))


@given(
    first=some.integers(-100_000, 100_000),
    length=some.integers(1, 100_000),
)
async def test_of_a_range_only_what_is_to_come_is_asked_for(first: int, length: int) -> None:
    start = MONDAY + timedelta(minutes=first)
    end = start + timedelta(minutes=length)
    try:
        left = await coming_span(Somewhere("UTC"), start, end)
    except ArgumentError as refused:
        assert str(refused) == "end_time: Must be in the future."  # noqa: PT017 - either way is right
        assert end <= MONDAY + timedelta(minutes=1)
    else:
        assert (left.start, left.end) == (max(start, MONDAY + timedelta(minutes=1)), end)
        assert left.began == (start < MONDAY)
