"""Paces calls: per account, within Calendly's rate limits, and fairly between the account's agents.

`rate_window` decides when the next call can start, `booking_limits` the same for bookings, and
`fair_queue` whose call it is. Calls wait in the `account_queue` of their account.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from calendly.pacing.account_queue import AccountQueue, QueuedCall, Waiting
from calendly.pacing.booking_limits import Ceiling, RecentBookings
from calendly.pacing.rate_headers import RateHeaders
from calendly.pacing.rate_window import RateWindow, StartedCall
from calendly.request import Account

_SWEEP: Final = 60.0
"""How often idle accounts are forgotten, in seconds."""


class Turn:
    """A call that can be sent now. It counts as spent unless `never_sent` is called."""

    def __init__(self, queue: AccountQueue, call: StartedCall, *, is_booking: bool) -> None:
        self._queue = queue
        self._call = call
        self._is_booking = is_booking
        self._is_over = False

    def answered(self, status: int, headers: Mapping[str, str]) -> float | None:
        """Learn from an answer, given its headers by lower-case names.

        Returns:
            Seconds until a repeat makes sense: always after a 429, else where the answer says so.
        """
        self._is_over = True
        return self._queue.answered(self._call, status, RateHeaders.read(headers), is_booking=self._is_booking)

    def never_sent(self) -> None:
        """Stop counting the call: Calendly has certainly not seen it."""
        self._is_over = True
        self._queue.take_back(self._call, is_booking=self._is_booking)

    def end(self) -> None:
        """Count the call as lost if it got no answer."""
        if not self._is_over:
            self._is_over = True
            self._queue.lost(self._call)


class Pacer:
    """The pace of all accounts of a process.

    Args:
        per_minute: Calls per minute and account until Calendly's first answer tells its limit.
        ceilings: The rate limits of bookings.
        max_wait: How long a call may wait for its turn, in seconds.
        clock: Seconds that only move forward.
        random: Returns a number in [0, 1).
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
        self._queues: dict[str, AccountQueue] = {}
        self._swept = clock()

    @asynccontextmanager
    async def turn(
        self, account: Account, *, is_booking: bool, deadline: float, waiting: Waiting | None = None
    ) -> AsyncGenerator[Turn]:
        """Wait for the turn of one call, which is in flight until the context ends.

        Args:
            account: The user whose rate limits count it, and the agent that shares them.
            is_booking: Whether the ceilings of bookings apply.
            deadline: When it is too late to start, on the clock.
            waiting: Receives progress.

        Raises:
            RateLimited: The call cannot start in time.
        """
        queue = self._queue(account.user)
        call = QueuedCall(account.agent, is_booking, account.is_patient, min(deadline, self._clock() + self._max_wait))
        turn = Turn(queue, await queue.start(call, waiting), is_booking=is_booking)
        try:
            yield turn
        finally:
            turn.end()

    def require_room(self, account: Account, *, deadline: float) -> None:
        """Require that a booking could start in time, without sending one.

        Args:
            account: The user whose ceilings count it.
            deadline: When it is too late to start, on the clock.

        Raises:
            RateLimited: It could not.
        """
        queue = self._queues.get(account.user)
        if queue is not None:
            queue.require_room(min(deadline, self._clock() + self._max_wait))

    def per_minute(self, user: str) -> int:
        """Return how many calls a minute an account may make, as far as is known."""
        queue = self._queues.get(user)
        return queue.per_minute if queue is not None else self._per_minute

    def _queue(self, user: str) -> AccountQueue:
        now = self._clock()
        if now >= self._swept + _SWEEP:
            self._swept = now
            self._queues = {user: queue for user, queue in self._queues.items() if not queue.is_forgettable(now)}
        if user not in self._queues:
            window, bookings = RateWindow(self._per_minute, now), RecentBookings(self._ceilings)
            self._queues[user] = AccountQueue(window, bookings, self._clock, self._random)
        return self._queues[user]
