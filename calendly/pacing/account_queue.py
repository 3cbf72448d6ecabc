"""The queue of one account: its calls wait until the rate limits let them start."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from typing import Final

from calendly.errors import RateLimited
from calendly.pacing.booking_limits import Ceiling, RecentBookings
from calendly.pacing.fair_queue import FairQueue
from calendly.pacing.rate_headers import RateHeaders
from calendly.pacing.rate_window import LONGEST_HOLD, WINDOW_SECONDS, RateWindow, StartedCall

Waiting = Callable[[float], Awaitable[None]]
"""Told, while a call waits, in how many seconds it should start. Must not raise."""

# Progress is reported after the first of these waits, and then after each of the second.
_FIRST_REPORT: Final = 1.0
_NEXT_REPORT: Final = 5.0

# How often forecasts are reviewed, and how far past its latest start a queued call may then be forecast.
_REVIEW: Final = 1.0
_DOUBT: Final = 0.1


def _future() -> asyncio.Future[StartedCall]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class QueuedCall:
    """A call that waits.

    Attributes:
        agent: The agent that makes it.
        is_booking: Whether the ceilings of bookings apply.
        is_patient: Whether it waits until nothing else does.
        latest: When it must have started.
        forecast: When it is expected to start.
        started: The call once it starts, or the error.
    """

    agent: str
    is_booking: bool
    is_patient: bool
    latest: float
    forecast: float = 0.0
    started: asyncio.Future[StartedCall] = field(default_factory=_future)

    @property
    def line(self) -> tuple[str, bool]:
        """Its line in the queue.

        Bookings have lines of their own, so that a full ceiling delays no other call.
        """
        return self.agent, self.is_booking


class AccountQueue:
    """The calls of one account, waiting or in flight.

    Args:
        window: The rate limit of all calls.
        bookings: The rate limits of bookings.
        clock: Seconds that only move forward.
        random: Returns a number in [0, 1).
    """

    def __init__(
        self, window: RateWindow, bookings: RecentBookings, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self.bookings = bookings
        self._window = window
        self._clock = clock
        self._random = random
        self._queue = FairQueue[QueuedCall]()
        self._patient = FairQueue[QueuedCall]()
        self._patient_in_flight: StartedCall | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._reviewed = -inf

    async def start(self, call: QueuedCall, waiting: Waiting | None) -> StartedCall:
        """Wait until the call can start.

        Raises:
            RateLimited: It cannot start in time. Raised as soon as that is clear.
        """
        self._of(call).push(call.line, call)
        try:
            self._serve()
            if not call.started.done():
                bookings = sum(other.is_booking for other in self._queue) - 1 if call.is_booking else 0
                self._foresee(call, self._place(call), bookings, self._clock(), doubt=0.0)
                await self._wait(call, waiting)
            return call.started.result()
        except BaseException:
            self._give_up(call)
            raise

    def require_room(self, latest: float) -> None:
        """Raise RateLimited if the ceilings let no further booking start until `latest`."""
        now = self._clock()
        wait, ceiling = self.bookings.wait(sum(call.is_booking for call in self._queue), now)
        if now + wait > latest:
            raise _too_late(wait, ceiling)

    @property
    def per_minute(self) -> int:
        """How many calls a minute the account may make, as far as is known."""
        return self._window.limit

    def answered(self, call: StartedCall, status: int, headers: RateHeaders, *, is_booking: bool) -> float | None:
        """Learn from an answer. Return the seconds until a repeat makes sense: always after a 429."""
        self._finish(call)
        now = self._clock()
        pause = headers.retry_after
        if status != HTTPStatus.TOO_MANY_REQUESTS:
            self._window.answered(call, headers, now)
        elif is_booking and headers.remaining:  # calls are left, so the limit of bookings is reached
            pause = WINDOW_SECONDS if pause is None else pause
            self._window.answered(call, headers, now)
            self.bookings.close(now + min(pause, LONGEST_HOLD))
        else:
            pause = self._window.refused(call, headers, now, self._random())
        self._serve()
        self._review(now, at_once=status == HTTPStatus.TOO_MANY_REQUESTS)
        return pause

    def take_back(self, call: StartedCall, *, is_booking: bool) -> None:
        """Stop counting a call that was not sent."""
        self._finish(call)
        self._window.take_back(call)
        if is_booking:
            self.bookings.take_back(call.at)
        self._serve()

    def lost(self, call: StartedCall) -> None:
        """Count a call that got no answer."""
        self._finish(call)
        self._window.lost(call)
        self._serve()

    def is_forgettable(self, now: float) -> bool:
        """Return whether the queue holds nothing that a new one would not."""
        return (
            not self._queue
            and not self._patient
            and self._window.is_forgettable(now)
            and self.bookings.is_forgettable(now)
        )

    def _serve(self) -> None:
        """Start every call that can start, and set an alarm for the next one."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self._clock()
        while self._queue or (self._patient and self._patient_in_flight is None):
            delay = self._window.delay(now)
            call = (self._queue or self._patient).pop(self._can_start) if delay <= 0 else None
            if call is None:
                delay = delay or self.bookings.wait(0, now)[0]
                self._alarm = asyncio.get_running_loop().call_later(delay, self._serve)
                return
            started = self._window.start(now, is_patient=call.is_patient)
            if call.is_patient:
                self._patient_in_flight = started
            call.started.set_result(started)
            if call.is_booking:
                self.bookings.add(now)
        self._window.end_burst()

    def _finish(self, call: StartedCall) -> None:
        if call is self._patient_in_flight:
            self._patient_in_flight = None

    def _of(self, call: QueuedCall) -> FairQueue[QueuedCall]:
        """Return the queue of a call. What is patient has its own: one call at a time, when the other is empty."""
        return self._patient if call.is_patient else self._queue

    def _place(self, call: QueuedCall) -> int:
        return self._of(call).place(call.line) + (sum(1 for _ in self._queue) if call.is_patient else 0)

    def _can_start(self, call: QueuedCall) -> bool:
        return not call.is_booking or self.bookings.wait(0, self._clock())[0] <= 0

    def _review(self, now: float, *, at_once: bool) -> None:
        """Fail every queued call that can no longer start in time."""
        if not at_once and now < self._reviewed + _REVIEW:
            return
        self._reviewed = now
        place = bookings = 0
        for call in [*self._queue, *self._patient]:
            if self._foresee(call, place, bookings, now, doubt=_DOUBT):
                place += 1
                bookings += call.is_booking

    def _foresee(self, call: QueuedCall, place: int, bookings: int, now: float, *, doubt: float) -> bool:
        """Forecast the start after `place` calls, `bookings` of them bookings.

        Fail the call if that is too late.
        """
        wait, ceiling = self._window.expected(place, now), None
        if call.is_booking:
            booking_wait, binding = self.bookings.wait(bookings, now)
            wait, ceiling = (booking_wait, binding) if booking_wait > wait else (wait, None)
        call.forecast = now + wait
        if call.forecast <= call.latest + doubt or not self._window.is_informed:
            return True
        self._of(call).remove(call.line, call)
        call.started.set_exception(_too_late(wait, ceiling))
        return False

    async def _wait(self, call: QueuedCall, waiting: Waiting | None) -> None:
        pause = _FIRST_REPORT
        while not call.started.done():
            now = self._clock()
            if now >= call.latest:
                raise _too_late(call.forecast - now, None)
            await asyncio.wait([call.started], timeout=min(pause, call.latest - now))
            if waiting is not None and not call.started.done():
                await waiting(max(0.0, call.forecast - self._clock()))
            pause = _NEXT_REPORT

    def _give_up(self, call: QueuedCall) -> None:
        """Remove a call whose caller left from the queue, or take it back if it has just started."""
        if not call.started.done():
            self._of(call).remove(call.line, call)
            call.started.cancel()
            self._serve()
        elif call.started.exception() is None:
            self.take_back(call.started.result(), is_booking=call.is_booking)


def _too_late(wait: float, ceiling: Ceiling | None) -> RateLimited:
    wait = max(1.0, wait)
    cause = "This Calendly user's calls are paced under Calendly's rate limit"
    if ceiling is not None:
        cause = f"Bookings have a ceiling of {ceiling}"
    return RateLimited(f"{cause}: this one could start in {wait:.0f} s. Nothing was sent.", retry_after=wait)
