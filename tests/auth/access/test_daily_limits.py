from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from auth.access.daily_limits import PERIOD, Full, Taken, give_back, take

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
