import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.errors import Detail, InvalidArgument, NotFound
from calendly.ranges import Cap, fetch_range, merge, split

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ZONES = [UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]

instants = st.datetimes(datetime(2000, 1, 2), datetime(2030, 1, 1), timezones=st.sampled_from(ZONES))  # noqa: DTZ001 - hypothesis adds the zone
lengths = st.timedeltas(timedelta(seconds=1), timedelta(days=400))


@given(instants, lengths, st.integers(1, 40))
def test_a_split_range_has_no_gap_no_overlap_and_no_part_beyond_the_cap(
    start: datetime, length: timedelta, days: int
) -> None:
    end = start.astimezone(UTC) + length
    parts = split(start, end, days)
    assert (parts[0][0], parts[-1][1]) == (start.astimezone(UTC), end)
    assert all(before[1] == after[0] for before, after in pairwise(parts))
    assert all(timedelta(0) < last - first <= timedelta(days=days) for first, last in parts)
    assert len(parts) == -(-length // timedelta(days=days))


def test_days_are_24_hours_also_where_the_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start, end = datetime(2026, 10, 24, tzinfo=berlin), datetime(2026, 10, 31, tzinfo=berlin)
    assert [last - first for first, last in split(start, end, 7)] == [timedelta(days=7), timedelta(hours=1)]


def test_a_range_at_the_last_representable_time_is_split_too() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    assert split(end - timedelta(days=1), end, 31) == [(end - timedelta(days=1), end)]


@pytest.mark.parametrize("end", [NOON, NOON - timedelta(days=1), NOON.replace(tzinfo=None) + timedelta(days=1)])
def test_an_empty_range_and_a_time_without_offset_are_programming_errors(end: datetime) -> None:
    with pytest.raises(ValueError, match="two times with offsets"):
        split(NOON, end, 7)


@given(st.lists(st.lists(st.integers(0, 9))))
def test_merging_keeps_the_order_and_the_first_of_equals(parts: list[list[int]]) -> None:
    rows = [row for part in parts for row in part]
    assert merge(parts, key=lambda row: row) == sorted(set(rows), key=rows.index)


def refuse(text: str) -> InvalidArgument:
    details: list[Detail] = [{"parameter": "end_time", "message": text}]
    return InvalidArgument("No.", status=400, message="The supplied parameters are invalid.", details=details)


class Days:
    """Returns the days of a range, and refuses ranges longer than `longest`."""

    def __init__(self, longest: int, refusal: str = "date range can be no greater than 7 days") -> None:
        self.longest = longest
        self.refusal = refusal
        self.asked: list[int] = []

    async def fetch(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the days from start to end, both included, so that a day at a cut is in two ranges."""
        days = (end - start).days
        self.asked.append(days)
        await asyncio.sleep(0)
        if days > self.longest:
            raise refuse(self.refusal)
        return [start + timedelta(days=day) for day in range(days + 1)]


async def test_a_long_range_is_fetched_side_by_side_and_merged() -> None:
    days = Days(longest=31)
    rows = await fetch_range(days.fetch, NOON, NOON + timedelta(days=70), cap=Cap(31), key=lambda day: day)
    assert rows == [NOON + timedelta(days=day) for day in range(71)]
    assert days.asked == [31, 31, 8]


@pytest.mark.requirement("available-times-days")
async def test_a_refused_range_is_fetched_in_weeks_and_the_cap_is_remembered() -> None:
    days, cap = Days(longest=7), Cap(31)
    rows = await fetch_range(days.fetch, NOON, NOON + timedelta(days=15), cap=cap, key=lambda day: day)
    assert rows == [NOON + timedelta(days=day) for day in range(16)]
    assert (days.asked, cap.days) == ([15, 7, 7, 1], 7)
    await fetch_range(days.fetch, NOON, NOON + timedelta(days=8), cap=cap, key=lambda day: day)
    assert days.asked[4:] == [7, 1]


@dataclass
class Quiet:
    """An account with open times at these hours, which answers the first days of a longer range without a word.

    Attributes:
        open_at: The hours after noon at which a time is open.
        covers: How much of a range is answered.
        asked: How many requests there were.
    """

    open_at: set[int]
    covers: timedelta
    asked: int = 0

    async def fetch(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the open times of the part that is answered."""
        self.asked += 1
        await asyncio.sleep(0)
        end = min(end, start + self.covers)
        times = [NOON + timedelta(hours=hour) for hour in sorted(self.open_at)]
        return [time for time in times if start <= time < end]


@given(
    open_at=st.sets(st.integers(0, 24 * 90)),
    covers=st.sampled_from([timedelta(days=days) for days in (7, 8, 10, 14, 30, 99)]),
    hours=st.integers(1, 24 * 90),
    cap=st.sampled_from([31, 7]),
)
async def test_however_little_an_answer_quietly_covers_nothing_is_lost(
    open_at: set[int], covers: timedelta, hours: int, cap: int
) -> None:
    account, end = Quiet(open_at, covers), NOON + timedelta(hours=hours)
    rows = await fetch_range(account.fetch, NOON, end, cap=Cap(cap), key=lambda day: day, start_of=lambda day: day)
    expected = [NOON + timedelta(hours=hour) for hour in sorted(open_at)]
    assert rows == [time for time in expected if time < end]


async def test_an_account_that_answers_whole_ranges_is_asked_once() -> None:
    account, cap = Quiet(set(range(0, 24 * 60, 5)), timedelta(days=99)), Cap(31)
    for days in (31, 60, 90):
        await fetch_range(
            account.fetch, NOON, NOON + timedelta(days=days), cap=cap, key=lambda day: day, start_of=lambda day: day
        )
    assert (account.asked, cap.days) == (1 + 2 + 3, 31)


async def test_a_cap_that_another_call_lowered_meanwhile_is_used() -> None:
    days, cap = Days(longest=7), Cap(31)

    async def lowered_meanwhile(start: datetime, end: datetime) -> list[datetime]:
        cap.days = 7
        return await days.fetch(start, end)

    await fetch_range(lowered_meanwhile, NOON, NOON + timedelta(days=8), cap=cap, key=lambda day: day)
    assert days.asked == [8, 7, 1]


@pytest.mark.parametrize(
    ("cap", "refusal"), [(7, "date range can be no greater than 7 days"), (31, "start_time must be in the future")]
)
async def test_a_refusal_that_shorter_ranges_cannot_help_is_passed_on(cap: int, refusal: str) -> None:
    days = Days(longest=0, refusal=refusal)
    with pytest.raises(InvalidArgument):
        await fetch_range(days.fetch, NOON, NOON + timedelta(days=7), cap=Cap(cap), key=lambda day: day)
    assert days.asked == [7]


async def test_one_failure_cancels_the_other_ranges_and_is_raised_as_itself() -> None:
    cancelled: list[datetime] = []

    async def fetch(start: datetime, end: datetime) -> list[datetime]:
        if end - start < timedelta(days=7):
            raise NotFound("No such event type.", status=404)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.append(start)
        return []

    with pytest.raises(NotFound):
        await fetch_range(fetch, NOON, NOON + timedelta(days=20), cap=Cap(7), key=lambda day: day)
    assert sorted(cancelled) == [NOON, NOON + timedelta(days=7)]
