"""When meetings can begin: no gap, no overlap, no instant moved, whatever the clocks of a zone do."""

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.ranges import merge, split
from tools.workflows.free_times import DailyQuota, Hours, nearest, soonest, starts_in, without
from tools.working_hours import WEEKDAYS, Span, working_spans

HALF_HOUR = timedelta(minutes=30)
BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu", "UTC"]

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 60 * 24 * 500).map(lambda minutes: EPOCH + timedelta(minutes=minutes))
SPANS = st.tuples(INSTANTS, st.integers(1, 3_000)).map(lambda pair: Span(pair[0], pair[0] + timedelta(minutes=pair[1])))


def hours_of(*days: str, opens: str = "09:00", closes: str = "17:00") -> list[Any]:
    return [{"type": "wday", "wday": day, "intervals": [{"from": opens, "to": closes}]} for day in days]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(start=INSTANTS, minutes=st.integers(1, 60 * 24 * 400), days=st.integers(1, 40))
def test_windows_have_no_gap_and_no_overlap_and_none_is_longer_than_the_cap(
    start: datetime, minutes: int, days: int
) -> None:
    end = start + timedelta(minutes=minutes)
    windows = split(start, end, days)
    assert (windows[0][0], windows[-1][1]) == (start, end)
    assert all(one[1] == other[0] for one, other in itertools.pairwise(windows))
    assert all(timedelta(0) < last - first <= timedelta(days=days) for first, last in windows)


@given(rows=st.lists(st.integers(0, 50)), cuts=st.lists(st.integers(0, 60), max_size=5))
def test_rows_of_several_windows_are_merged_in_order_each_once(rows: list[int], cuts: list[int]) -> None:
    edges = sorted({0, len(rows), *(min(cut, len(rows)) for cut in cuts)})
    parts = [rows[first : min(last + 1, len(rows))] for first, last in itertools.pairwise(edges)]
    assert merge(parts, key=lambda row: row) == list(dict.fromkeys(rows))


@given(span=SPANS, busy=st.lists(SPANS, max_size=6))
def test_what_is_taken_out_and_what_remains_is_the_whole(span: Span, busy: list[Span]) -> None:
    rest = without([span], busy)
    assert all(one.end <= other.start for one, other in itertools.pairwise(rest))
    assert all(span.start <= one.start < one.end <= span.end for one in rest)
    step = timedelta(minutes=7)
    instant = span.start
    while instant < span.end:
        is_taken = any(taken.start <= instant < taken.end for taken in busy)
        assert is_taken != any(one.start <= instant < one.end for one in rest)
        instant += step


@given(window=SPANS, zone=st.sampled_from(ZONES), cut=st.integers(1, 2_999))
def test_working_hours_of_two_halves_are_those_of_the_whole(window: Span, zone: str, cut: int) -> None:
    schedule: Any = {"rules": hours_of(*WEEKDAYS, opens="07:15", closes="22:45")}
    middle = min(window.start + timedelta(minutes=cut), window.end)
    halves = [Span(window.start, middle), Span(middle, window.end)]
    parts = [working_spans(schedule, ZoneInfo(zone), half) for half in halves if half.start < half.end]
    joined: list[Span] = []
    for span in [span for part in parts for span in part]:
        if joined and joined[-1].end == span.start:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    assert joined == working_spans(schedule, ZoneInfo(zone), window)


@given(window=SPANS, zone=st.sampled_from(ZONES))
def test_working_hours_are_those_that_the_clocks_show(window: Span, zone: str) -> None:
    schedule: Any = {"rules": hours_of("monday", "wednesday", "sunday")}
    place = ZoneInfo(zone)
    for span in working_spans(schedule, place, window):
        for instant in (span.start, span.end - timedelta(minutes=1)):
            local = instant.astimezone(place)
            assert local.strftime("%A").lower() in {"monday", "wednesday", "sunday"}
            assert time(9) <= local.time() < time(17)


@given(span=SPANS, zone=st.sampled_from(ZONES), step=st.sampled_from([15, 30]))
def test_meetings_begin_on_full_steps_of_the_clock_and_fit(span: Span, zone: str, step: int) -> None:
    length = timedelta(minutes=45)
    starts = list(starts_in([span], length, timedelta(minutes=step), ZoneInfo(zone)))
    assert starts == sorted(set(starts))
    for start in starts:
        assert start.astimezone(ZoneInfo(zone)).minute % step == 0
        assert span.start <= start
        assert start + length <= span.end


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes"),
    [
        # 01:00 to 05:00 on clocks: three hours where they go forward, five where they go back.
        ("Europe/Berlin", "2026-03-29", "2026-03-29T00:00", "2026-03-29T03:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T23:00", "2026-10-25T04:00"),
        ("Australia/Sydney", "2026-10-04", "2026-10-03T15:00", "2026-10-03T18:00"),
        ("Australia/Sydney", "2026-04-05", "2026-04-04T14:00", "2026-04-04T19:00"),
    ],
)
def test_a_day_on_which_clocks_change_has_the_hours_that_they_show(
    zone: str, day: str, opens: str, closes: str
) -> None:
    schedule: Any = {"rules": hours_of("sunday", opens="01:00", closes="05:00")}
    noon = datetime.combine(date.fromisoformat(day), time(12), ZoneInfo(zone)).astimezone(UTC)
    window = Span(noon - timedelta(hours=14), noon + timedelta(hours=8))
    assert working_spans(schedule, ZoneInfo(zone), window) == [Span(utc(opens), utc(closes))]


def test_the_hours_of_a_date_win_and_a_date_without_any_is_off() -> None:
    rules = hours_of("tuesday", "wednesday")
    rules += [
        {"type": "date", "date": "2026-12-01", "intervals": []},
        {"type": "date", "date": "2026-12-03", "intervals": [{"from": "20:00", "to": "24:00"}]},
    ]
    schedule: Any = {"rules": rules}
    window = Span(utc("2026-11-30T00:00"), utc("2026-12-07T00:00"))
    assert working_spans(schedule, ZoneInfo("UTC"), window) == [
        Span(utc("2026-12-02T09:00"), utc("2026-12-02T17:00")),
        Span(utc("2026-12-03T20:00"), utc("2026-12-04T00:00")),
    ]


@pytest.mark.parametrize("interval", [{}, {"from": "9", "to": "17:00"}, {"from": None, "to": "17:00"}])
def test_hours_that_cannot_be_read_are_none(interval: dict[str, str | None]) -> None:
    schedule: Any = {"rules": [{"type": "wday", "wday": day, "intervals": [interval]} for day in WEEKDAYS]}
    assert working_spans(schedule, BERLIN, Span(EPOCH, EPOCH + timedelta(days=3))) == []


@pytest.mark.parametrize(
    ("start", "holds"),
    [
        ("2026-12-01T08:00", True),  # Tue 09:00
        ("2026-12-01T07:30", False),
        ("2026-12-01T10:30", True),
        ("2026-12-01T10:45", False),  # over at 12:15
        ("2026-12-02T08:00", False),  # Wednesday
    ],
)
def test_hours_hold_a_meeting_that_begins_and_ends_in_them(start: str, *, holds: bool) -> None:
    hours = Hours(BERLIN, frozenset({1}), time(9), time(12))
    assert hours.hold(utc(start), HALF_HOUR) is holds


def test_a_meeting_across_midnight_is_not_over_by_any_hour_of_its_day() -> None:
    late = datetime(2026, 12, 1, 23, 45, tzinfo=BERLIN).astimezone(UTC)
    assert not Hours(BERLIN, latest=time(23, 59)).hold(late, HALF_HOUR)
    assert Hours(BERLIN).hold(late, HALF_HOUR)


def test_the_soonest_come_first_and_of_each_day_only_so_many() -> None:
    starts = [utc(f"2026-12-0{day}T{hour:02}:00") for day in (2, 1) for hour in (9, 8, 12)]
    assert soonest(starts, BERLIN, DailyQuota(2)) == [
        utc("2026-12-01T08:00"),
        utc("2026-12-01T09:00"),
        utc("2026-12-02T08:00"),
        utc("2026-12-02T09:00"),
    ]


def test_the_nearest_to_a_time_of_day_come_first_and_sooner_days_before_later_ones() -> None:
    starts = [utc(f"2026-12-0{day}T{hour:02}:00") for day in (2, 1) for hour in (8, 12)]
    assert nearest(starts, BERLIN, DailyQuota(1), to=time(13)) == [utc("2026-12-01T12:00"), utc("2026-12-02T12:00")]
