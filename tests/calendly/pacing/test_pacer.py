import asyncio
import gc
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from calendly.errors import RateLimited
from calendly.pacing.booking_limits import parse_ceilings
from calendly.pacing.pacer import Pacer
from calendly.request import Account
from tests.calendly.tokens import Token
from tests.rate_limited_upstream import WINDOW, RateLimit


@dataclass
class Track:
    """Calls through a pacer to a rate limit, without a network."""

    server: RateLimit = field(default_factory=RateLimit)
    per_minute: int = 60
    booking_limits: str = "none"
    max_wait: float = 600.0
    started: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    reports: list[tuple[float, float]] = field(default_factory=list[tuple[float, float]])

    def __post_init__(self) -> None:
        self.pacer = Pacer(
            per_minute=self.per_minute,
            ceilings=parse_ceilings(self.booking_limits),
            max_wait=self.max_wait,
            clock=self.clock,
            random=lambda: 0.5,
        )

    def clock(self) -> float:
        """Return the virtual time."""
        return asyncio.get_running_loop().time()

    async def call(  # noqa: PLR0913 - what calls differ in
        self,
        agent: str = "agent",
        *,
        user: str = "user",
        is_booking: bool = False,
        seconds: float = 1_000.0,
        label: str | None = None,
        is_patient: bool = False,
    ) -> int:
        """Make one call that takes a moment, and return its status."""

        async def waiting(expected: float) -> None:
            self.reports.append((self.clock(), expected))

        deadline = self.clock() + seconds
        account = Account(user, agent, Token("t"), is_patient)
        async with self.pacer.turn(account, is_booking=is_booking, deadline=deadline, waiting=waiting) as turn:
            self.started.append((self.clock(), label or agent))
            await asyncio.sleep(0.01)
            status, headers = self.server.count(self.clock())
            turn.answered(status, {name.lower(): value for name, value in headers.items()})
            return status

    @property
    def times(self) -> list[float]:
        """When calls started."""
        return [time for time, _ in self.started]


async def together(*calls: "asyncio.Future[int] | asyncio.Task[int]") -> list[int | BaseException]:
    return await asyncio.gather(*calls, return_exceptions=True)


async def test_300_queued_calls_at_60_a_minute_take_the_ideal_time_without_a_429() -> None:
    track = Track()
    await asyncio.gather(*(track.call() for _ in range(300)))
    ideal = WINDOW + (300 - 60) / (60 / WINDOW)
    assert track.server.refused == []
    assert track.times[-1] <= 1.01 * ideal


async def test_a_window_that_is_half_over_and_half_spent_is_used_up_as_well() -> None:
    track = Track(RateLimit(begins=-30.0, used=40))
    await asyncio.gather(*(track.call() for _ in range(100)))
    ideal = 30 + (100 - 20) / (60 / WINDOW)
    assert track.server.refused == []
    assert track.times[-1] <= ideal


async def test_two_agents_of_one_user_get_equal_shares_whoever_came_first() -> None:
    track = Track()
    greedy = [asyncio.ensure_future(track.call("greedy")) for _ in range(240)]
    await asyncio.sleep(5)
    late = [asyncio.ensure_future(track.call("late")) for _ in range(60)]
    await asyncio.gather(*late)
    since = [agent for time, agent in track.started if time >= 5]
    shares = Counter(since[: since.index("late") + 120])
    assert abs(shares["greedy"] - shares["late"]) <= 0.1 * 60
    await asyncio.gather(*greedy)


async def test_calls_of_one_agent_start_in_the_order_they_came() -> None:
    track = Track()
    await asyncio.gather(*(track.call(label=str(number)) for number in range(90)))
    assert [label for _, label in track.started] == [str(number) for number in range(90)]


async def test_users_do_not_wait_for_each_other() -> None:
    track, other = Track(), Track()
    track.server.used = track.server.limit = 60
    track.server.begins = 0.0
    assert await track.call(user="full") == 429
    full = asyncio.ensure_future(track.call(user="full"))
    track.server = other.server
    assert await track.call(user="free") == 200
    assert not full.done()
    await full


async def test_lone_calls_spend_the_whole_window_without_waiting() -> None:
    track = Track()
    for _ in range(60):
        await track.call()
    assert track.clock() < 1
    await track.call()
    assert 60 <= track.times[-1] <= 61.1


async def test_a_call_that_cannot_start_in_time_is_refused_at_once() -> None:
    track = Track(max_wait=30.0)
    for _ in range(60):
        await track.call()
    before = track.clock()
    with pytest.raises(RateLimited, match=r"could start in 60 s\. Nothing was sent\.") as refusal:
        await track.call()
    assert track.clock() == before
    assert refusal.value.status is None
    assert refusal.value.retry_after == pytest.approx(60.4, abs=0.5)


@pytest.mark.parametrize("seconds", [20.0, 40.0])
async def test_the_deadline_and_the_longest_wait_both_hold(seconds: float) -> None:
    track = Track(max_wait=30.0)
    for _ in range(60):
        await track.call()
    await asyncio.sleep(35)
    assert await together(asyncio.ensure_future(track.call(seconds=40))) == [200]
    with pytest.raises(RateLimited):
        await asyncio.gather(*(track.call(seconds=seconds) for _ in range(60)))


async def test_of_a_burst_only_calls_that_can_start_in_time_are_queued_and_all_of_them_start() -> None:
    track = Track(max_wait=30.0)
    results = await together(*(asyncio.ensure_future(track.call()) for _ in range(100)))
    assert Counter(type(result) for result in results) == {int: 45, RateLimited: 55}
    assert track.clock() <= 31
    assert track.server.refused == []


async def test_no_call_is_refused_on_the_setting_alone() -> None:
    track = Track(RateLimit(limit=500), max_wait=1.0)
    assert await asyncio.gather(*(track.call() for _ in range(200))) == [200] * 200


async def test_waiting_calls_are_refused_when_an_answer_shows_that_they_would_be_late() -> None:
    track = Track(RateLimit(limit=4), max_wait=19.0)
    results = await together(*(asyncio.ensure_future(track.call()) for _ in range(6)))
    assert [result for result in results if isinstance(result, int)] == [200, 200]
    assert track.server.refused == []
    assert all(isinstance(result, RateLimited) for result in results[2:])
    assert track.clock() < 1


async def test_after_a_429_calls_wait_as_told_and_one_goes_ahead() -> None:
    track = Track(RateLimit(used=60))
    assert await track.call() == 429
    assert await asyncio.gather(*(track.call() for _ in range(5))) == [200] * 5
    assert track.server.refused == [0.01]
    assert track.times[1] == 60.01
    assert track.times[2] >= track.times[1] + 0.01


async def test_a_series_of_429_without_headers_gets_few_calls() -> None:
    track = Track(RateLimit(limit=1, used=1), max_wait=1_000.0)

    async def refused() -> int:
        async with track.pacer.turn(Account("user", "agent", Token("t")), is_booking=False, deadline=1e6) as turn:
            track.started.append((track.clock(), "agent"))
            turn.answered(429, {})
            return 429

    await asyncio.gather(*(refused() for _ in range(10)))
    pauses = [round(after - before, 3) for before, after in pairwise(track.times)]
    assert pauses == [1.5, 3.0, 6.0, 12.0, 24.0, 45.0, 45.0, 45.0, 45.0]


async def test_a_waiting_call_reports_when_it_will_start() -> None:
    track = Track()
    for _ in range(60):
        await track.call()
    await track.call()
    assert [round(time) for time, _ in track.reports] == [2, 7, 12, 17, 22, 27, 32, 37, 42, 47, 52, 57]
    assert all(time + expected == pytest.approx(track.times[-1]) for time, expected in track.reports)


async def test_a_short_wait_is_not_reported() -> None:
    track = Track()
    await asyncio.gather(track.call(), track.call())
    assert track.reports == []


async def test_a_cancelled_call_leaves_the_queue() -> None:
    track = Track(RateLimit(limit=10))
    calls = [asyncio.ensure_future(track.call()) for _ in range(20)]
    await asyncio.sleep(1)
    for call in calls[5:15]:
        call.cancel()
    results = await together(*calls)
    assert [result for result in results if isinstance(result, int)] == [200] * 10
    assert track.times[-1] < 60


async def test_a_call_cancelled_just_as_it_may_start_gives_its_turn_back() -> None:
    track = Track(RateLimit(limit=4), booking_limits="1/day")
    async with track.pacer.turn(Account("user", "agent", Token("t")), is_booking=False, deadline=10.0) as turn:
        waiter = asyncio.ensure_future(track.call(is_booking=True))
        await asyncio.sleep(0.1)
        status, headers = track.server.count(track.clock())
        turn.answered(status, {name.lower(): value for name, value in headers.items()})
        waiter.cancel()  # it can start and has not yet
    with pytest.raises(asyncio.CancelledError):
        await waiter
    assert track.started == []
    assert await track.call(is_booking=True) == 200
    assert track.clock() < 1


async def test_a_call_waits_no_longer_than_it_may_before_the_first_answer() -> None:
    track = Track(per_minute=2, max_wait=20.0)
    async with track.pacer.turn(Account("user", "agent", Token("t")), is_booking=False, deadline=10.0):
        with pytest.raises(RateLimited) as refusal:
            await track.call()
        assert track.clock() == 20
    assert refusal.value.retry_after == 10.0


async def test_a_call_that_was_not_sent_does_not_count_and_one_without_an_answer_does() -> None:
    track = Track(RateLimit(limit=2), booking_limits="1/day")
    account = Account("user", "agent", Token("t"))
    await track.call()
    async with track.pacer.turn(account, is_booking=True, deadline=10.0) as turn:
        turn.never_sent()
    async with track.pacer.turn(account, is_booking=True, deadline=10.0):
        with pytest.raises(RateLimited, match="Bookings have a ceiling of 1 per day"):
            track.pacer.require_room(account, deadline=10.0)
    with pytest.raises(RateLimited):
        await track.call(seconds=10.0)


async def test_bookings_wait_for_their_own_ceiling_and_delay_no_other_call() -> None:
    track = Track(RateLimit(limit=500), booking_limits="2/min")
    bookings = [asyncio.ensure_future(track.call(is_booking=True)) for _ in range(3)]
    await asyncio.gather(*(track.call() for _ in range(20)))
    assert track.clock() < 1
    await asyncio.gather(*bookings)
    assert track.times[-1] == pytest.approx(60.0, abs=0.1)


async def test_a_booking_that_cannot_wait_names_the_full_ceiling() -> None:
    track = Track(RateLimit(limit=500), booking_limits="10/min,12/h", max_wait=100.0)
    await asyncio.gather(*(track.call(is_booking=True) for _ in range(12)))
    with pytest.raises(
        RateLimited, match=r"^Bookings have a ceiling of 12 per hour: this one could start in 35\d\d s\."
    ) as refusal:
        await track.call(is_booking=True)
    assert refusal.value.retry_after == pytest.approx(3_540, abs=5)
    assert await track.call() == 200


@pytest.mark.parametrize(("waiting", "max_wait"), [(0, 59.0), (1, 100.0)])
async def test_a_booking_that_no_ceiling_has_room_for_is_known_before_it_is_queued(
    waiting: int, max_wait: float
) -> None:
    track = Track(RateLimit(limit=500), booking_limits="1/min", max_wait=max_wait)
    account, deadline = Account("user", "agent", Token("t")), 1_000.0
    track.pacer.require_room(account, deadline=deadline)
    await track.call(is_booking=True)
    queued = [asyncio.ensure_future(track.call(is_booking=True)) for _ in range(waiting)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited, match="Bookings have a ceiling of 1 per minute") as refusal:
        track.pacer.require_room(account, deadline=deadline)
    assert refusal.value.retry_after == pytest.approx(60 * (waiting + 1), abs=1)
    track.pacer.require_room(Account("other", "agent", Token("t")), deadline=deadline)
    await asyncio.gather(*queued)
    await asyncio.sleep(60)
    track.pacer.require_room(account, deadline=deadline)


@pytest.mark.parametrize(("remaining", "reads_wait"), [("30", False), ("0", True), ("", True)])
async def test_a_429_to_a_booking_delays_reads_only_where_the_common_limit_is_reached(
    remaining: str, *, reads_wait: bool
) -> None:
    track = Track(booking_limits="none")
    account = Account("user", "agent", Token("t"))
    async with track.pacer.turn(account, is_booking=True, deadline=10.0) as turn:
        headers = {"x-ratelimit-limit": "60", "x-ratelimit-remaining": remaining, "x-ratelimit-reset": "60"}
        assert turn.answered(429, headers) == (61.0 if reads_wait else 60.0)
    await track.call()
    assert (track.times[-1] > 60) is reads_wait
    await track.call(is_booking=True)
    assert track.times[-1] >= 60


async def test_idle_users_are_forgotten() -> None:
    track = Track()

    def lanes() -> int:
        gc.collect()
        return sum(type(thing).__name__ == "_Lane" for thing in gc.get_objects())

    of_others = lanes()

    async def some_users(first: int) -> int:
        for number in range(first, first + 200):
            await track.call(f"agent {number}", user=f"user {number}")
            track.server.used = 0
        gc.collect()
        return sum(type(thing).__name__ in {"_Lane", "_Seat", "Window"} for thing in gc.get_objects())

    await some_users(0)
    await asyncio.sleep(120)
    some = await some_users(200)
    await asyncio.sleep(120)
    assert await some_users(400) <= some
    await asyncio.sleep(120)
    await track.call()
    assert lanes() <= of_others + 1


@pytest.mark.requirement("looks-patient")
async def test_patient_calls_wait_until_no_other_call_does() -> None:
    track = Track()
    patient = [asyncio.create_task(track.call("looks", is_patient=True)) for _ in range(30)]
    await asyncio.sleep(0)
    await asyncio.gather(*(track.call("agent") for _ in range(60)), *patient)
    assert track.server.refused == []
    first = [agent for _, agent in track.started[:61]]
    assert first.count("looks") == 1  # it had started before anybody else was there
    assert track.pacer.per_minute("user") == 60


@pytest.mark.requirement("looks-patient")
async def test_a_lone_call_starts_at_once_though_patient_calls_are_in_flight_and_queued() -> None:
    track = Track(RateLimit(60))
    patient = [asyncio.create_task(track.call("looks", is_patient=True)) for _ in range(40)]
    for _ in range(15):
        await asyncio.sleep(0.003)
        asked = track.clock()
        await track.call("agent")
        assert max(time for time, agent in track.started if agent == "agent") == asked
    await asyncio.gather(*patient)
    assert track.server.refused == []


async def test_a_patient_call_that_comes_too_late_is_told_so() -> None:
    track = Track(max_wait=5.0)
    await track.call("agent")
    busy = [asyncio.create_task(track.call("agent", seconds=1000)) for _ in range(59)]
    await asyncio.sleep(0)
    with pytest.raises(RateLimited):
        await track.call("looks", is_patient=True)
    await together(*busy)
