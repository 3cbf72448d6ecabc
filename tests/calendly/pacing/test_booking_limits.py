import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.pacing.booking_limits import Ceiling, RecentBookings, parse_ceilings
from tests.cases import each

DEFAULT = "10/min,50/h,100/day"
PER_MINUTE = Ceiling(10, "minute", 60.0)
PER_HOUR = Ceiling(50, "hour", 3_600.0)
PER_DAY = Ceiling(100, "day", 86_400.0)


@pytest.mark.requirement("booking-limits-setting")
def test_the_default_setting_is_three_ceilings() -> None:
    assert parse_ceilings(DEFAULT) == (PER_MINUTE, PER_HOUR, PER_DAY)
    assert str(PER_DAY) == "100 per day"


@pytest.mark.requirement("booking-limits-setting")
def test_none_switches_the_ceilings_off() -> None:
    assert parse_ceilings("none") == ()
    assert RecentBookings(()).wait(1_000, 0.0) == (0.0, None)


@pytest.mark.parametrize(
    "odd", ["", "10", "10/sec", "0/min", "-1/min", "1.5/h", "10/min,", "none,10/min", "9999999/day", "\u0661/min"]
)
def test_anything_else_is_refused_with_an_example(odd: str) -> None:
    with pytest.raises(ValueError, match="written like 10/min,50/h,100/day, or none"):
        parse_ceilings(odd)


def test_a_booking_waits_for_the_ceiling_that_is_full() -> None:
    bookings = RecentBookings(parse_ceilings("2/min,3/h"))
    for now in (0.0, 10.0):
        assert bookings.wait(0, now) == (0.0, None)
        bookings.add(now)
    assert bookings.wait(0, 20.0) == (40.0, Ceiling(2, "minute", 60.0))
    bookings.add(60.0)
    assert bookings.wait(0, 80.0) == (3_520.0, Ceiling(3, "hour", 3_600.0))


def test_waiting_bookings_count_for_those_behind_them() -> None:
    bookings = RecentBookings(parse_ceilings("2/min"))
    assert [bookings.wait(place, 0.0)[0] for place in range(5)] == [0.0, 0.0, 60.0, 60.0, 120.0]


def test_a_booking_that_was_never_sent_does_not_count() -> None:
    bookings = RecentBookings(parse_ceilings("1/day"))
    bookings.add(5.0)
    bookings.take_back(5.0)
    assert bookings.wait(0, 6.0) == (0.0, None)


@each("ceilings, now", [("none", 5.0), ("1/min", 65.0)])
def test_a_booking_that_was_never_sent_is_taken_back_also_when_no_ceiling_counts_it(ceilings: str, now: float) -> None:
    bookings = RecentBookings(parse_ceilings(ceilings))
    bookings.add(5.0)
    assert bookings.wait(0, now) == (0.0, None)
    bookings.take_back(5.0)
    assert bookings.is_forgettable(now)


def test_a_refused_booking_delays_the_next_ones_whatever_the_ceilings_allow() -> None:
    bookings = RecentBookings(parse_ceilings(DEFAULT))
    bookings.close(30.0)
    bookings.close(20.0)
    assert bookings.wait(0, 10.0) == (20.0, None)
    assert bookings.wait(0, 30.0) == (0.0, None)


def test_bookings_are_forgotten_when_no_ceiling_counts_them_any_more() -> None:
    bookings = RecentBookings(parse_ceilings(DEFAULT))
    bookings.add(0.0)
    assert not bookings.is_forgettable(86_399.0)
    assert bookings.is_forgettable(86_400.0)


@pytest.mark.requirement("booking-limits-setting")
@given(st.lists(st.floats(0.0, 600.0), min_size=1, max_size=120))
def test_no_ceiling_is_ever_exceeded_in_any_period(pauses: list[float]) -> None:
    ceilings = parse_ceilings(DEFAULT)
    bookings, now, starts = RecentBookings(ceilings), 0.0, list[float]()
    for pause in pauses:
        now += pause
        now += bookings.wait(0, now)[0]
        bookings.add(now)
        starts.append(now)
    for ceiling in ceilings:
        assert all(
            last - first >= ceiling.seconds - 1e-6 for first, last in zip(starts, starts[ceiling.count :], strict=False)
        )
