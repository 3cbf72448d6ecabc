"""What a change makes of any rules: what was asked, nothing else, and an undo that restores them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from calendly.models.availability import Rule
from tests.cases import each
from tools.day_hours import DAY, DayIntervals, hours_of, intervals_of, merged, parse_clock, parse_hours, told, without
from tools.toolset.errors import ArgumentError
from tools.workflows.hours.asked import Changes, Orders, orders_of, parse_asked_hours, parse_days
from tools.workflows.hours.difference import closing, difference, keeping
from tools.workflows.hours.rules import ScheduleRules, undo_of
from tools.working_hours import WEEKDAYS, Span, Weekday, working_spans

TODAY = date(2026, 11, 23)

SPRING = date(2027, 3, 8)
"""In the weeks after it clocks change in all zones here that change them."""

ASKED: TypeAdapter[Any] = TypeAdapter(Changes)

DATES = st.dates(SPRING, SPRING + timedelta(days=365))
HOURS: st.SearchStrategy[DayIntervals] = st.sets(st.integers(0, 96), max_size=6).map(
    lambda edges: tuple((15 * start, 15 * end) for start, end in zip(*[iter(sorted(edges))] * 2, strict=False))
)
ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago"]
)


def rules_with(weekly: Mapping[Weekday, DayIntervals], dates: Mapping[date, DayIntervals]) -> ScheduleRules:
    return ScheduleRules(
        {day: {"type": "wday", "wday": day, "intervals": intervals_of(hours)} for day, hours in weekly.items()},
        {day: {"type": "date", "date": str(day), "intervals": intervals_of(hours)} for day, hours in dates.items()},
    )


RULES = st.builds(
    rules_with,
    st.fixed_dictionaries(dict.fromkeys(WEEKDAYS, HOURS)),
    st.dictionaries(st.dates(SPRING - timedelta(days=9), SPRING + timedelta(days=40)), HOURS, max_size=8),
)
RANGES = st.tuples(DATES, st.integers(0, 20)).map(
    lambda one: f"{one[0]}/{min(one[0] + timedelta(days=one[1]), SPRING + timedelta(days=365))}"
)
WRITTEN = HOURS.map(lambda hours: told(hours) if hours else "none")
CHANGES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"days": RANGES, "hours": st.one_of(WRITTEN, st.just("weekly"))}),
        st.fixed_dictionaries({"days": st.sampled_from(WEEKDAYS), "hours": WRITTEN}),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40)
@given(RULES, CHANGES, ZONES)
def test_a_change_does_what_was_asked_and_nothing_else_and_is_undone_exactly(
    before: ScheduleRules, changes: object, zone: str
) -> None:
    try:
        orders = orders_of(ASKED.validate_python(changes), SPRING)
    except ArgumentError:
        return  # two changes give a day different hours
    after = before.after(orders)
    _is_as_asked(before, after, orders)
    _is_taken_by_calendly(after.sent(SPRING))
    undone = orders_of(ASKED.validate_python(undo_of(before, orders)), SPRING)
    assert after.after(undone).sent(SPRING) == before.sent(SPRING)
    rows = difference(before, after, orders)
    assert rows
    assert len(rows) <= 7 + 12 or any(" days, " in row["days"] for row in rows)
    _closes_what_was_open(before, after, orders, ZoneInfo(zone))


def _is_as_asked(before: ScheduleRules, after: ScheduleRules, orders: Orders) -> None:
    for weekday in WEEKDAYS:
        assert after.every(weekday) == orders.get(weekday, before.every(weekday))
    for day in {*before.dates, *after.dates, *(key for key in orders if isinstance(key, date))}:
        if day not in orders:
            assert after.dates.get(day) == before.dates.get(day)
        elif orders[day] is None:
            assert day not in after.dates
        else:
            assert after.on(day) == orders[day]


def _is_taken_by_calendly(sent: Sequence[Rule]) -> None:
    assert [rule.get("wday") for rule in sent[:7]] == [WEEKDAYS[-1], *WEEKDAYS[:-1]]
    dates = [date.fromisoformat(rule.get("date") or "") for rule in sent[7:]]
    assert dates == sorted({day for day in dates if day >= SPRING - timedelta(days=1)})
    assert all(intervals_of(hours_of(rule)) == rule.get("intervals") for rule in sent)


def _closes_what_was_open(before: ScheduleRules, after: ScheduleRules, orders: Orders, zone: ZoneInfo) -> None:
    """Whatever was open, by an independent reading of the rules, is still open or closes; nothing is both."""
    now = datetime.combine(SPRING, time(12), zone).astimezone(UTC)
    closed, window = closing(before, after, orders, zone, now), Span(now, now + timedelta(days=40))
    was, becomes = (
        working_spans({"rules": [*rules.weekly.values(), *rules.dates.values()]}, zone, window)
        for rules in (before, after)
    )
    for span in becomes:
        assert not any(other.start < span.end and span.start < other.end for other in closed)
    for span in was:
        rest = [span]
        for other in (*becomes, *closed):
            around = [
                (Span(one.start, min(one.end, other.start)), Span(max(one.start, other.end), one.end)) for one in rest
            ]
            rest = [part for parts in around for part in parts if part.start < part.end]
        assert rest == []


@settings(max_examples=40)
@given(HOURS, HOURS)
def test_hours_without_others_are_the_rest(hours: DayIntervals, others: DayIntervals) -> None:
    minutes = {minute for start, end in hours for minute in range(start, end)}
    taken = {minute for start, end in others for minute in range(start, end)}
    rest = without(hours, others)
    assert {minute for start, end in rest for minute in range(start, end)} == minutes - taken
    assert rest == merged(rest)


WEEK = tuple(WEEKDAYS)
FROM_TO = (date(2026, 12, 20), date(2027, 1, 3))


@each(
    "text, parts",
    [
        ("2026-12-20/2027-01-03", (FROM_TO,)),
        ("2026-12-20 to 2027-01-03", (FROM_TO,)),
        ("from 2026-12-20 until 2027-01-03", (FROM_TO,)),
        ("2026-12-20 \u2013 2027-01-03", (FROM_TO,)),
        ("2026-12-20..2027-01-03", (FROM_TO,)),
        ("2026-12-20", ((FROM_TO[0], FROM_TO[0]),)),
        ("tomorrow", ((timedelta(days=1),) * 2,)),
        ("Fridays", ("friday",)),
        ("every Friday", ("friday",)),
        ("mon-wed, SAT", ("monday", "tuesday", "wednesday", "saturday")),
        ("friday to monday", ("friday", "saturday", "sunday", "monday")),
        ("weekdays", WEEK[:5]),
        ("weekends and monday", (*WEEK[5:], "monday")),
        ("every day", WEEK),
    ],
)
def test_days_are_read_as_models_write_them(text: str, parts: object) -> None:
    assert parse_days(text).parts == parts


@each(
    "text", ["", " , ", "next week", "2026-02-30", "20.12.2026", "2026-12-04T09:00:00Z", "monday to 2026-12-04", "x\0"]
)
def test_what_names_no_days_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write its date|control characters"):
        parse_days(text)


@each(
    "text, hours",
    [
        ("13:00-17:00, 09:00-12:00", ((540, 720), (780, 1020))),
        ("09:00-12:00, 12:00-17:00", ((540, 1020),)),
        ("9-12 and 13-17", ((540, 720), (780, 1020))),
        ("9am to 5:30 pm", ((540, 1050),)),
        ("12 am - 12 pm", ((0, 720),)),
        ("09:00 \u2013 24:00", ((540, DAY),)),
        ("20:00-00:00", ((1200, DAY),)),
        ("09:00:00-12:00:00,\n13:00-17:00 |", ((540, 720), (780, 1020))),
        ("none", ()),
        ("Off", ()),
        ("back to weekly", None),
    ],
)
def test_hours_are_read_as_models_write_them(text: str, hours: object) -> None:
    assert parse_asked_hours(text).hours == hours


@each(
    "text, said",
    [
        ("09:00-12:00, 11:00-13:00", "09:00-12:00 and 11:00-13:00 overlap."),
        ("09:00-17:00, 10:00-11:00", "09:00-17:00 and 10:00-11:00 overlap."),
        ("09:00-09:00", "09:00-09:00 ends before it begins"),
        ("22:00-02:00", "22:00-02:00 ends before it begins"),
        ("00:00-00:00", "00:00-00:00 ends before it begins"),
        ("2-6", "This can mean 02:00-06:00 or 14:00-18:00"),
        ("9-5pm", "am and pm stand with both times or with none"),
        ("13pm-14pm", "Expected hours"),
        ("09:00-24:30", "Expected hours"),
        ("09:60-10:00", "Expected hours"),
        ("from nine", '"none", or "weekly"'),
        ("09:00", "Expected hours"),
        ("", '"none", or "weekly"'),
    ],
)
def test_other_hours_are_refused_and_said(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"overlap|ends|Expected|can mean") as refused:
        parse_asked_hours(text)
    assert said in str(refused.value)


@each(
    "days, hours, said",
    [
        ("2026-11-22", "none", "changes.0.days: 2026-11-22 is past: in the schedule's zone today is 2026-11-23."),
        ("2026-11-20/2026-11-25", "none", "2026-11-20 is past"),
        ("2027-11-24", "none", "2027-11-24 is more than a year ahead"),
        ("2026-12-05/2026-12-04", "none", "The range ends before it begins"),
        ("friday", "weekly", "changes.0.hours: Weekly hours are for dates"),
    ],
)
def test_days_that_cannot_be_changed_are_refused_by_name(days: str, hours: str, said: str) -> None:
    with pytest.raises(ArgumentError) as refused:
        orders_of(ASKED.validate_python([{"days": days, "hours": hours}]), TODAY)
    assert said in str(refused.value)


def test_a_year_ahead_is_the_last_day_and_a_day_is_asked_for_once() -> None:
    assert list(
        orders_of(ASKED.validate_python({"days": "2027-11-23", "hours": ["9-12", "13-17"]}), TODAY).values()
    ) == [parse_hours("09:00-12:00, 13:00-17:00")]
    assert orders_of(ASKED.validate_python({"days": "2029-02-28", "hours": "none"}), date(2028, 2, 29))
    with pytest.raises(ArgumentError, match="at most 1000 days"):
        orders_of(ASKED.validate_python([{"days": "2026-12-01/2027-11-01", "hours": "none"}] * 4), TODAY)
    twice = [{"days": "2026-12-04", "hours": "none"}, {"days": "2026-12-01/2026-12-05", "hours": "weekly"}]
    with pytest.raises(ArgumentError, match=r"changes\.1\.days: Two changes give 2026-12-04 different hours\."):
        orders_of(ASKED.validate_python(twice), TODAY)


def test_a_difference_is_told_in_plain_words() -> None:
    day: Any = {"from": "09:00", "to": "17:00"}
    before = ScheduleRules(
        {name: {"type": "wday", "wday": name, "intervals": [day] if name in WEEKDAYS[:5] else []} for name in WEEKDAYS},
        {date(2026, 12, 24): {"type": "date", "date": "2026-12-24", "intervals": []}},
    )

    def rows(*changes: tuple[str, str]) -> list[str]:
        orders = orders_of(ASKED.validate_python([{"days": days, "hours": hours} for days, hours in changes]), TODAY)
        told_rows = difference(before, before.after(orders), orders)
        assert keeping(before, orders, TODAY) == ([date(2026, 12, 24)] if "thursday" in orders else [])
        return [f"{row['days']}: {row['before']} before, {row['after']} after" for row in told_rows]

    assert rows(("2026-12-04", "09:00-12:00")) == ["Fri 4 Dec 2026: 09:00-17:00 before, 09:00-12:00 after"]
    assert rows(("2026-12-23/2026-12-27", "none")) == [
        "Wed 23 Dec 2026: 09:00-17:00 before, no hours after",
        "Thu 24 Dec 2026, Sat 26 Dec 2026 to Sun 27 Dec 2026: no hours before, no hours after",
        "Fri 25 Dec 2026: 09:00-17:00 before, no hours after",
    ]
    assert rows(("2026-12-24", "weekly")) == [
        "Thu 24 Dec 2026: no hours before, 09:00-17:00, as every week after",
    ]
    assert rows(("mon-thu", "10-15"), ("saturday", "10-12")) == [
        "Every Monday to Thursday: 09:00-17:00 before, 10:00-15:00 after",
        "Every Saturday: no hours before, 10:00-12:00 after",
    ]
    assert rows(("2026-12-01/2027-03-31", "none"))[0] == (
        "86 days, Tue 1 Dec 2026 to Wed 31 Mar 2027: 09:00-17:00 before, no hours after"
    )


def test_a_rule_of_an_unknown_kind_is_never_sent_back_changed() -> None:
    odd: Any = {"type": "month", "intervals": []}
    with pytest.raises(ArgumentError, match="does not know"):
        ScheduleRules.of([odd])
    known: Any = {"type": "date", "date": "2026-12-24", "wday": None, "intervals": None, "note": "new"}
    assert ScheduleRules.of([known]).sent(TODAY)[7:] == [
        {"type": "date", "date": "2026-12-24", "intervals": [], "note": "new"}
    ]


@each(
    "written, clock",
    [
        ("9:00", "09:00"),
        ("9am", "09:00"),
        (" 9 PM ", "21:00"),
        ("0930", "09:30"),
        ("12am", "00:00"),
        ("24:00", "24:00"),
    ],
)
def test_a_time_of_day_is_read_as_people_write_it(written: str, clock: str) -> None:
    assert parse_clock(written) == clock


@each("written", ["9", "", "25:00", "9:60", "13pm", "noon", "9am-5pm"])
def test_what_is_no_time_of_day_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="Expected a time of day such as 09:00"):
        parse_clock(written)
