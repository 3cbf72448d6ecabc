from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.grants.rate_limits import PERIOD, RequestWindow, wait, window_start

MINUTE = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def test_a_window_begins_with_the_minute() -> None:
    assert window_start(MINUTE) == MINUTE
    assert window_start(MINUTE + 59.9 * SECOND) == MINUTE
    assert window_start(MINUTE + 60 * SECOND) == MINUTE + PERIOD


@pytest.mark.requirement("rate-limits")
def test_as_many_as_allowed_fit_into_a_minute_and_not_one_more() -> None:
    assert wait(RequestWindow(MINUTE, current=59), 60, MINUTE + 10 * SECOND) is None
    assert wait(RequestWindow(MINUTE, current=60), 60, MINUTE + 10 * SECOND) is not None


@pytest.mark.requirement("rate-limits")
def test_the_minute_before_weighs_less_the_longer_it_is_over() -> None:
    window = RequestWindow(MINUTE, current=0, previous=60)
    assert wait(window, 60, MINUTE) == 1
    assert wait(window, 60, MINUTE + 1 * SECOND) is None
    assert wait(RequestWindow(MINUTE, current=30, previous=60), 60, MINUTE + 30 * SECOND) == 1
    assert wait(RequestWindow(MINUTE, current=30, previous=60), 60, MINUTE + 31 * SECOND) is None


@pytest.mark.requirement("rate-limits")
@given(st.integers(1, 200), st.integers(0, 200), st.integers(0, 200), st.integers(0, 59))
def test_whoever_waits_as_long_as_told_gets_through(most: int, current: int, previous: int, elapsed: int) -> None:
    now = MINUTE + elapsed * SECOND
    seconds = wait(RequestWindow(MINUTE, current, previous), most, now)
    if seconds is None:
        return
    later = now + seconds * SECOND
    ahead = window_start(later)
    if ahead == MINUTE:
        window = RequestWindow(MINUTE, current, previous)
    else:
        window = RequestWindow(ahead, 0, current if ahead == MINUTE + PERIOD else 0)
    assert wait(window, most, later) is None


@given(st.lists(st.integers(0, 5), max_size=100), st.integers(1, 10))
def test_no_minute_sees_twice_what_is_allowed(pauses: list[int], most: int) -> None:
    now, counts, passed = MINUTE, dict[datetime, int](), list[datetime]()
    for pause in pauses:
        now += pause * SECOND
        start = window_start(now)
        if wait(RequestWindow(start, counts.get(start, 0), counts.get(start - PERIOD, 0)), most, now) is None:
            counts[start] = counts.get(start, 0) + 1
            passed.append(now)
    assert all(sum(one <= other < one + PERIOD for other in passed) < 2 * most for one in passed) or most == 1
