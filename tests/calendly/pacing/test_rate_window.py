import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.pacing.rate_headers import RateHeaders
from calendly.pacing.rate_window import LONGEST_HOLD, RateWindow, StartedCall
from tests.rate_limited_upstream import RateLimit

HALF = 0.5  # the middle of the random numbers


def window(*, limit: int = 60, remaining: int | None = None, reset: float = 60.0) -> RateWindow:
    """A window at time 0 after a first answer, without calls in flight."""
    fresh = RateWindow(limit, 0.0)
    left = limit - 1 if remaining is None else remaining
    fresh.answered(fresh.start(0.0), RateHeaders(limit, left, reset), 0.0)
    fresh.end_burst()
    return fresh


def start_all(of: RateWindow, now: float) -> list[StartedCall]:
    """Start as many calls as can start at once."""
    started: list[StartedCall] = []
    while of.delay(now) <= 0:
        started.append(of.start(now))
    return started


def test_one_call_explores_an_unknown_window() -> None:
    fresh = RateWindow(60, 0.0)
    assert len(start_all(fresh, 0.0)) == 1
    assert 0 < fresh.delay(0.0) <= 1.0


def test_of_a_burst_half_of_what_is_left_starts_at_once() -> None:
    assert len(start_all(window(remaining=40), 0.0)) == 20


def test_the_rest_of_a_burst_is_spread_evenly_over_the_rest_of_the_window() -> None:
    burst, now, starts = window(remaining=10), 0.0, list[float]()
    for call in start_all(burst, now):
        burst.answered(call, RateHeaders(), now)
    while (now := now + burst.delay(now)) < 60:
        burst.answered(burst.start(now), RateHeaders(), now)
        starts.append(now)
    assert starts == pytest.approx([10.0, 20.0, 30.0, 40.0, 50.0])


@given(st.integers(1, 60))
def test_lone_calls_never_wait_while_anything_is_left(remaining: int) -> None:
    lone = window(remaining=remaining)
    for left in reversed(range(remaining)):
        assert lone.delay(1.0) == 0
        lone.answered(lone.start(1.0), RateHeaders(60, left, 59.0), 1.0)
        lone.end_burst()
    assert lone.delay(1.0) > 59


def test_calls_in_flight_count_as_spent() -> None:
    full = window(remaining=2)
    full.start(0.0)
    full.start(0.0)
    assert full.delay(0.0) == 61.0


def test_a_late_answer_does_not_raise_what_is_left() -> None:
    burst = window(remaining=10)
    first, second = burst.start(0.0), burst.start(0.0)
    burst.answered(second, RateHeaders(60, 8, 60.0), 0.1)
    burst.answered(first, RateHeaders(60, 9, 60.0), 0.2)
    assert len(start_all(burst, 0.2)) == 3  # with the two before them, half of 10


def test_answers_in_any_order_leave_what_is_left() -> None:
    burst = window(remaining=20)
    calls = start_all(burst, 0.0)
    for place, call in enumerate(reversed(calls)):
        burst.answered(call, RateHeaders(60, 10 + place, 60.0), 0.1)
    burst.end_burst()
    assert len(start_all(burst, 0.2)) == 5


def test_an_answer_without_headers_spends_a_call_and_changes_nothing_else() -> None:
    plain = window(remaining=3, reset=30.0)
    for _ in range(3):
        plain.answered(plain.start(1.0), RateHeaders(), 1.0)
        plain.end_burst()
    assert plain.delay(1.0) == 30.0


def test_a_call_without_an_answer_counts_and_one_that_was_not_sent_does_not() -> None:
    two = window(remaining=2, reset=30.0)
    two.take_back(two.start(0.0))
    two.lost(two.start(0.0))
    two.end_burst()
    assert two.delay(0.0) == 0
    two.lost(two.start(0.0))
    assert two.delay(0.0) == 31.0


@pytest.mark.requirement("rate-limit-setting")
def test_the_limit_that_calendly_tells_replaces_the_setting() -> None:
    told = RateWindow(60, 0.0)
    told.answered(told.start(0.0), RateHeaders(500, 499, 60.0), 0.0)
    told.end_burst()
    assert len(start_all(told, 0.0)) == 249
    assert told.limit == 500


def test_a_new_window_is_explored_by_one_call_a_second_after_the_old_one_ends() -> None:
    empty = window(remaining=0, reset=12.0)
    assert empty.delay(0.0) == 13.0
    assert len(start_all(empty, 13.0)) == 1


def test_an_answer_of_a_newer_window_counts_before_the_old_one_is_over() -> None:
    early = window(remaining=5, reset=10.0)
    early.answered(early.start(10.5), RateHeaders(60, 59, 60.0), 10.5)
    early.end_burst()
    assert len(start_all(early, 10.5)) == 29


def test_an_answer_of_an_earlier_window_is_ignored() -> None:
    slow = window(remaining=5, reset=10.0)
    straggler = slow.start(9.0)
    slow.answered(slow.start(11.0), RateHeaders(60, 58, 60.0), 11.0)
    slow.answered(straggler, RateHeaders(60, 0, 0.0), 12.0)
    slow.end_burst()
    assert slow.delay(12.0) == 0


@pytest.mark.parametrize(
    ("report", "pause"),
    [
        (RateHeaders(60, 0, 40.0, 7.0), 7.0),
        (RateHeaders(60, 0, 40.0), 41.0),
        (RateHeaders(), 1.5),
        (RateHeaders(retry_after=0.0), 1.0),
    ],
)
def test_a_429_closes_the_window_for_as_long_as_calendly_says_or_for_a_back_off(
    report: RateHeaders, pause: float
) -> None:
    closed = window()
    assert closed.refused(closed.start(0.0), report, 0.0, HALF) == pause
    assert closed.delay(0.0) == pause
    assert len(start_all(closed, pause)) == 1


def test_a_wait_of_a_day_is_told_and_one_call_tries_again_before_it_is_over() -> None:
    closed = window()
    assert closed.refused(closed.start(0.0), RateHeaders(retry_after=86_400.0), 0.0, HALF) == 86_400
    assert closed.delay(0.0) == LONGEST_HOLD
    (again,) = start_all(closed, LONGEST_HOLD)
    assert closed.refused(again, RateHeaders(retry_after=86_400.0), LONGEST_HOLD, HALF) == 86_400
    assert closed.delay(LONGEST_HOLD) == LONGEST_HOLD


def test_refusals_in_a_row_back_off_longer_and_simultaneous_ones_count_once() -> None:
    stormy, now, pauses = window(), 0.0, list[float]()
    for _ in range(8):
        storm = [stormy.start(now), stormy.start(now)]
        pauses.append(max(stormy.refused(call, RateHeaders(), now, HALF) for call in storm))
        now += pauses[-1]
    assert pauses == [1.5, 3.0, 6.0, 12.0, 24.0, 45.0, 45.0, 45.0]
    stormy.answered(stormy.start(now), RateHeaders(60, 59, 60.0), now)
    assert stormy.refused(stormy.start(now), RateHeaders(), now, HALF) == 1.5


def test_an_answer_in_flight_does_not_open_a_closed_window() -> None:
    closed = window()
    first, second = closed.start(0.0), closed.start(0.0)
    closed.refused(first, RateHeaders(retry_after=20.0), 0.0, HALF)
    closed.answered(second, RateHeaders(60, 30, 5.0), 1.0)
    assert closed.delay(1.0) == 19.0


@pytest.mark.parametrize("jump", [-1e9, -100.0, 100.0, 1e9])
def test_a_clock_that_jumps_starts_a_new_window(jump: float) -> None:
    jumping = window(remaining=0)
    assert len(start_all(jumping, jump)) == 1
    assert 0 < jumping.delay(jump) <= 61


def test_forecasts_match_when_calls_start() -> None:
    burst, now, starts = window(limit=10, remaining=4), 0.0, list[float]()
    forecasts = [burst.expected(place, now) for place in range(24)]
    while len(starts) < 24:
        now += burst.delay(now)
        burst.answered(burst.start(now), RateHeaders(), now)
        starts.append(now)
    assert starts == pytest.approx(forecasts)


@dataclass
class Traffic:
    """Calls of one program through a window to a server that counts them.

    The program always has calls to send.
    """

    server: RateLimit
    journeys: list[tuple[float, float]]
    sent: list[float] = field(default_factory=list[float])

    def run(self, calls: int) -> None:
        """Send all calls as soon as the window allows."""
        window, now = RateWindow(60, 0.0), 0.0
        events: list[tuple[float, int, Callable[[float], None]]] = []
        while len(self.sent) < calls or events:
            delay = window.delay(now) if len(self.sent) < calls else math.inf
            if events and events[0][0] <= now + delay:
                now, _, event = heapq.heappop(events)
                event(now)
                continue
            now += delay
            if window.delay(now) <= 0:
                self.send(window, now, events)

    def send(self, window: RateWindow, now: float, events: list[tuple[float, int, Callable[[float], None]]]) -> None:
        """Send one call, which arrives, is counted, and is answered."""
        call, number = window.start(now), len(self.sent)
        there, back = self.journeys[number % len(self.journeys)]
        self.sent.append(now)

        def count(at: float) -> None:
            status, headers = self.server.count(at)
            report = RateHeaders.read({name.lower(): value for name, value in headers.items()})
            assert status == 200, f"call {number} was foretold to be refused"
            heapq.heappush(events, (at + back, 2 * number + 1, lambda then: window.answered(call, report, then)))

        heapq.heappush(events, (now + there, 2 * number, count))


servers = st.builds(
    RateLimit,
    limit=st.sampled_from([5, 20, 60, 100]),
    begins=st.floats(-60.0, 0.0),
    is_aligned=st.booleans(),
    rounding=st.sampled_from([math.floor, math.ceil]),
)
fractions = st.floats(0.0, 1.0)


@pytest.mark.requirement("every-call-paced")
@given(st.lists(st.tuples(fractions, fractions), min_size=1, max_size=40), servers, fractions)
def test_no_429_is_provoked_that_the_headers_foretold(
    journeys: list[tuple[float, float]], server: RateLimit, used: float
) -> None:
    server.used = round(used * server.limit / 4)
    longest = server.limit / 20  # short enough that calls before the first answer are within the limit
    Traffic(server, [(there * longest, back * longest) for there, back in journeys]).run(150)
