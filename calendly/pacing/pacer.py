"""How fast Calendly is asked: per Calendly user, as its headers allow, and fairly between the user's agents.

What is decided is decided elsewhere, about values: `rate_window` says when the next call may start, `booking_limits`
the same for bookings, `fair_queue` whose call it is. Here calls wait for their turn.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from math import inf
from typing import Final

from calendly.errors import RateLimited
from calendly.pacing.booking_limits import Bookings, Ceiling, Room
from calendly.pacing.fair_queue import FairQueue
from calendly.pacing.rate_headers import Report
from calendly.pacing.rate_window import LENGTH, Departure, Window
from calendly.request import Account

Waiting = Callable[[float], Awaitable[None]]

# A wait shorter than the first is not worth a word; a longer one is reported again and again.
_FIRST_REPORT: Final = 1.0
_NEXT_REPORT: Final = 5.0

# Forecasts are reviewed at this interval, and may then miss by so much before a call that was let in is turned away.
_REVIEW: Final = 1.0
_DOUBT: Final = 0.1

# Users who have been quiet for a window are forgotten at this interval.
_SWEEP: Final = 60.0


def _future() -> asyncio.Future[Departure]:
    return asyncio.get_running_loop().create_future()


@dataclass(slots=True, eq=False)
class _Seat:
    """A waiting call: it may start until `latest`, and is expected to at `forecast`."""

    agent: str
    is_booking: bool
    latest: float
    forecast: float = 0.0
    departure: asyncio.Future[Departure] = field(default_factory=_future)

    @property
    def line(self) -> tuple[str, bool]:
        """Bookings stand in lines of their own, so that a full ceiling holds up no other call."""
        return self.agent, self.is_booking


class _Lane:
    """The calls of one Calendly user."""

    def __init__(
        self, window: Window, bookings: Bookings, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self.bookings = bookings
        self._window = window
        self._clock = clock
        self._random = random
        self._queue = FairQueue[_Seat]()
        self._alarm: asyncio.TimerHandle | None = None
        self._reviewed = -inf

    async def take(self, seat: _Seat, waiting: Waiting | None) -> Departure:
        """Wait until the call may start.

        Raises:
            RateLimited: It cannot in time; said as soon as that is clear.
        """
        self._queue.push(seat.line, seat)
        try:
            self._serve()
            if not seat.departure.done():
                bookings = sum(other.is_booking for other in self._queue) - 1 if seat.is_booking else 0
                self._foresee(seat, self._queue.place(seat.line), bookings, self._clock(), doubt=0.0)
                await self._wait(seat, waiting)
            return seat.departure.result()
        except BaseException:
            self._give_up(seat)
            raise

    def require_room(self, latest: float) -> None:
        """Raise RateLimited where the ceilings let no booking more start until `latest`."""
        now = self._clock()
        wait, ceiling = self.bookings.wait(sum(seat.is_booking for seat in self._queue), now)
        if now + wait > latest:
            raise _too_late(wait, ceiling)

    def answered(self, departure: Departure, status: int, report: Report, *, is_booking: bool) -> float | None:
        """Learn from an answer; return the seconds after which it is worth asking again, always after a 429."""
        now = self._clock()
        pause = report.retry_after
        if status != HTTPStatus.TOO_MANY_REQUESTS:
            self._window.answered(departure, report, now)
        elif is_booking and report.remaining:  # not the limit of all calls is reached, so it is that of bookings
            pause = LENGTH if pause is None else pause
            self._window.answered(departure, report, now)
            self.bookings.close(now + pause)
        else:
            pause = self._window.refused(departure, report, now, self._random())
        self._serve()
        self._review(now, at_once=status == HTTPStatus.TOO_MANY_REQUESTS)
        return pause

    def never_sent(self, departure: Departure, *, is_booking: bool) -> None:
        """Take back a call that Calendly has not seen."""
        self._window.never_left(departure)
        if is_booking:
            self.bookings.take_back(departure.at)
        self._serve()

    def lost(self, departure: Departure) -> None:
        """Count a call that got no answer."""
        self._window.lost(departure)
        self._serve()

    def is_forgettable(self, now: float) -> bool:
        """Whether a new lane would know as much."""
        return not self._queue and self._window.is_forgettable(now) and self.bookings.is_forgettable(now)

    def _serve(self) -> None:
        """Let start who may, and come back when the next one may."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        now = self._clock()
        while self._queue:
            delay = self._window.delay(now)
            seat = self._queue.pop(self._may_start) if delay <= 0 else None
            if seat is None:
                delay = delay or self.bookings.wait(0, now)[0]
                self._alarm = asyncio.get_running_loop().call_later(delay, self._serve)
                return
            seat.departure.set_result(self._window.depart(now))
            if seat.is_booking:
                self.bookings.add(now)
        self._window.quiet()

    def _may_start(self, seat: _Seat) -> bool:
        return not seat.is_booking or self.bookings.wait(0, self._clock())[0] <= 0

    def _review(self, now: float, *, at_once: bool) -> None:
        """Turn away whoever, as things now stand, cannot start in time."""
        if not at_once and now < self._reviewed + _REVIEW:
            return
        self._reviewed = now
        place = bookings = 0
        for seat in list(self._queue):
            if self._foresee(seat, place, bookings, now, doubt=_DOUBT):
                place += 1
                bookings += seat.is_booking

    def _foresee(self, seat: _Seat, place: int, bookings: int, now: float, *, doubt: float) -> bool:
        """Forecast a start after `place` calls, `bookings` of them bookings; turn the call away if that is too late."""
        wait, ceiling = self._window.expected(place, now), None
        if seat.is_booking:
            booking_wait, binding = self.bookings.wait(bookings, now)
            wait, ceiling = (booking_wait, binding) if booking_wait > wait else (wait, None)
        seat.forecast = now + wait
        if seat.forecast <= seat.latest + doubt or not self._window.is_informed:
            return True
        self._queue.remove(seat.line, seat)
        seat.departure.set_exception(_too_late(wait, ceiling))
        return False

    async def _wait(self, seat: _Seat, waiting: Waiting | None) -> None:
        pause = _FIRST_REPORT
        while not seat.departure.done():
            now = self._clock()
            if now >= seat.latest:
                raise _too_late(seat.forecast - now, None)
            await asyncio.wait([seat.departure], timeout=min(pause, seat.latest - now))
            if waiting is not None and not seat.departure.done():
                await waiting(max(0.0, seat.forecast - self._clock()))
            pause = _NEXT_REPORT

    def _give_up(self, seat: _Seat) -> None:
        """Leave no hole: who waits no more leaves the queue, who was just let go gives the turn back."""
        if not seat.departure.done():
            self._queue.remove(seat.line, seat)
            seat.departure.cancel()
            self._serve()
        elif seat.departure.exception() is None:
            self.never_sent(seat.departure.result(), is_booking=seat.is_booking)


def _too_late(wait: float, ceiling: Ceiling | None) -> RateLimited:
    wait = max(1.0, wait)
    cause = "This Calendly user's calls are paced under Calendly's rate limit"
    if ceiling is not None:
        cause = f"Bookings have a ceiling of {ceiling}"
    return RateLimited(f"{cause}: this one could start in {wait:.0f} s. Nothing was sent.", retry_after=wait)


class Turn:
    """A call that may be sent now. It counts as spent, unless it is said never to have been sent."""

    def __init__(self, lane: _Lane, departure: Departure, *, is_booking: bool) -> None:
        self._lane = lane
        self._departure = departure
        self._is_booking = is_booking
        self._is_over = False

    def answered(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Learn from an answer, whose headers are given by their lower-case names.

        Returns:
            Seconds after which it is worth asking again: always after a 429, else where the answer says so.
        """
        self._is_over = True
        return self._lane.answered(self._departure, status, Report.read(headers), is_booking=self._is_booking)

    def never_sent(self) -> None:
        """Take the call back: Calendly has certainly not seen it."""
        self._is_over = True
        self._lane.never_sent(self._departure, is_booking=self._is_booking)

    def end(self) -> None:
        """Count a call that got no answer."""
        if not self._is_over:
            self._is_over = True
            self._lane.lost(self._departure)


class Pacer:
    """The pace of all Calendly users of a process.

    Args:
        per_minute: Calls per minute and user until Calendly's first answer teaches the real figure.
        ceilings: Ceilings of booking calls.
        max_wait: The longest a call may wait for its turn, in seconds.
        clock: Seconds that only move forward.
        random: In [0, 1).
    """

    def __init__(
        self,
        *,
        per_minute: int,
        ceilings: Sequence[Ceiling],
        max_wait: float,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._per_minute = per_minute
        self._ceilings = ceilings
        self._max_wait = max_wait
        self._clock = clock
        self._random = random
        self._lanes: dict[str, _Lane] = {}
        self._swept = clock()

    @asynccontextmanager
    async def turn(
        self, account: Account, *, is_booking: bool, deadline: float, waiting: Waiting | None = None
    ) -> AsyncGenerator[Turn]:
        """Wait for the turn of one call, which is on its way until the context ends.

        Args:
            account: The user whose limits it counts against, and the agent that has to share them.
            is_booking: Whether the ceilings of bookings hold for it too.
            deadline: When it is too late to start, on the clock.
            waiting: Told, while the call waits, in how many seconds it is expected to start. Must not raise.

        Raises:
            RateLimited: The call cannot start in time.
        """
        lane = self._lane(account.user)
        seat = _Seat(account.agent, is_booking, min(deadline, self._clock() + self._max_wait))
        turn = Turn(lane, await lane.take(seat, waiting), is_booking=is_booking)
        try:
            yield turn
        finally:
            turn.end()

    def require_room(self, account: Account, *, deadline: float) -> None:
        """Know beforehand that the ceilings leave no room for a booking.

        Args:
            account: The user whose bookings they count.
            deadline: When it is too late to start, on the clock.

        Raises:
            RateLimited: It could not start in time.
        """
        lane = self._lanes.get(account.user)
        if lane is not None:
            lane.require_room(min(deadline, self._clock() + self._max_wait))

    def bookings_left(self, user: str) -> list[Room]:
        """Return what each ceiling leaves the user for bookings now."""
        lane = self._lanes.get(user)
        return (lane.bookings if lane else Bookings(self._ceilings)).rooms(self._clock())

    def _lane(self, user: str) -> _Lane:
        now = self._clock()
        if now >= self._swept + _SWEEP:
            self._swept = now
            self._lanes = {user: lane for user, lane in self._lanes.items() if not lane.is_forgettable(now)}
        if user not in self._lanes:
            window, bookings = Window(self._per_minute, now), Bookings(self._ceilings)
            self._lanes[user] = _Lane(window, bookings, self._clock, self._random)
        return self._lanes[user]
