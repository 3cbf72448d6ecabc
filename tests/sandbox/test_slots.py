"""Open slots: working hours in a zone, minus busy times."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.records.slots import DayHours, Rhythm, TimeSpan, WorkingHours, open_starts, working_intervals

NINE_TO_FIVE: DayHours = ((time(9), time(17)),)
HALF_HOUR = Rhythm(timedelta(minutes=30), timedelta(minutes=30), timedelta(), timedelta())


def every_day(zone: str, hours: DayHours = NINE_TO_FIVE) -> WorkingHours:
    return WorkingHours(zone, dict.fromkeys(range(7), hours), {})


def day(year: int, month: int, number: int) -> TimeSpan:
    start = datetime(year, month, number, tzinfo=UTC)
    return TimeSpan(start, start + timedelta(days=1))


@pytest.mark.parametrize(
    ("zone", "where", "opens"),
    [
        ("Europe/Berlin", day(2026, 3, 28), 8),
        ("Europe/Berlin", day(2026, 3, 29), 7),
        ("Europe/Berlin", day(2026, 10, 25), 8),
        ("America/New_York", day(2026, 10, 31), 13),
        ("America/New_York", day(2026, 11, 1), 14),
        ("UTC", day(2026, 3, 29), 9),
    ],
)
def test_nine_in_the_morning_is_nine_in_the_morning_on_both_sides_of_a_clock_change(
    zone: str, where: TimeSpan, opens: int
) -> None:
    starts = list(open_starts(every_day(zone), HALF_HOUR, (), where))
    assert starts[0] == where.start + timedelta(hours=opens)
    assert len(starts) == 16


def test_hours_across_a_skipped_hour_are_one_hour_shorter() -> None:
    night = every_day("Europe/Berlin", ((time(1), time(4)),))
    lengths = [found.end - found.start for found in working_intervals(night, day(2026, 3, 29))]
    assert lengths[0] == timedelta(hours=2)


def test_hours_across_a_repeated_hour_are_one_hour_longer() -> None:
    night = every_day("Europe/Berlin", ((time(1), time(4)),))
    lengths = [found.end - found.start for found in working_intervals(night, day(2026, 10, 25))]
    assert lengths[0] == timedelta(hours=4)


def test_a_date_overrides_its_weekday() -> None:
    hours = WorkingHours("UTC", {0: NINE_TO_FIVE, 1: NINE_TO_FIVE}, {date(2026, 11, 23): ((time(10), time(11)),)})
    window = TimeSpan(datetime(2026, 11, 23, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC))
    starts = list(open_starts(hours, HALF_HOUR, (), window))
    assert [start.hour for start in starts[:3]] == [10, 10, 9]


def test_a_window_includes_its_start_and_excludes_its_end() -> None:
    window = TimeSpan(datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 10, tzinfo=UTC))
    assert [start.minute for start in open_starts(every_day("UTC"), HALF_HOUR, (), window)] == [0, 30]


def test_buffers_keep_slots_away_from_busy_times() -> None:
    rhythm = Rhythm(timedelta(minutes=30), timedelta(minutes=30), timedelta(minutes=10), timedelta(minutes=15))
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    starts = set(
        open_starts(every_day("UTC"), rhythm, [TimeSpan(noon, noon + timedelta(minutes=30))], day(2026, 11, 23))
    )
    assert {noon - timedelta(minutes=30), noon, noon + timedelta(minutes=30)}.isdisjoint(starts)
    assert {noon - timedelta(hours=1), noon + timedelta(hours=1)} <= starts


moments = st.integers(0, 400 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]),
    starts=st.lists(moments, max_size=4),
    window=moments,
)
def test_no_slot_overlaps_a_busy_time_or_leaves_the_window(zone: str, starts: list[datetime], window: datetime) -> None:
    busy = [TimeSpan(start, start + timedelta(hours=3)) for start in starts]
    whole = TimeSpan(window, window + timedelta(days=4))
    found = list(open_starts(every_day(zone), HALF_HOUR, busy, whole))
    assert found == sorted(set(found))
    for start in found:
        assert whole.start <= start < whole.end
        assert not any(TimeSpan(start, start + HALF_HOUR.duration).overlaps(taken) for taken in busy)
