"""Counting requests in windows."""

from datetime import UTC, datetime, timedelta

from sandbox.state.rate_limits import CallLimit, CountedWindow, Meters, spend

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TWO_A_MINUTE = CallLimit(2, 60)


def test_a_window_opens_with_its_first_request_and_refuses_the_one_beyond_the_limit() -> None:
    window, first = spend(None, TWO_A_MINUTE, NOON)
    window, second = spend(window, TWO_A_MINUTE, NOON + timedelta(seconds=20))
    window, third = spend(window, TWO_A_MINUTE, NOON + timedelta(seconds=59.5))
    assert (first.remaining, first.reset, first.allowed) == (1, 60, True)
    assert (second.remaining, second.reset, second.allowed) == (0, 40, True)
    assert (third.remaining, third.reset, third.allowed) == (0, 1, False)
    assert window == CountedWindow(NOON, 2)


def test_the_next_window_starts_afresh() -> None:
    _, reading = spend(CountedWindow(NOON, 2), TWO_A_MINUTE, NOON + timedelta(seconds=60))
    assert (reading.remaining, reading.reset, reading.allowed) == (1, 60, True)


def test_a_clock_set_back_starts_a_new_window() -> None:
    window, _ = spend(CountedWindow(NOON, 2), TWO_A_MINUTE, NOON - timedelta(hours=1))
    assert window == CountedWindow(NOON - timedelta(hours=1), 1)


def test_a_request_that_one_limit_refuses_counts_against_none() -> None:
    meters = Meters()
    ceilings = (CallLimit(5, 3600), CallLimit(1, 60))
    assert meters.spend("booking", "maya", ceilings, NOON).allowed
    for _ in range(10):
        assert meters.spend("booking", "maya", ceilings, NOON).limit == 1
    later = meters.spend("booking", "maya", ceilings, NOON + timedelta(minutes=2))
    assert (later.limit, later.remaining, later.allowed) == (5, 3, True)


def test_users_and_purposes_are_counted_apart() -> None:
    meters = Meters()
    for name, user in (("requests", "maya"), ("requests", "tomas"), ("booking", "maya")):
        assert meters.spend(name, user, (CallLimit(1, 60),), NOON).allowed
