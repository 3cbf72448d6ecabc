"""The sandbox's clock: real time plus an offset that a control sets."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

RealNow = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


def utc_now() -> datetime:
    """Return the real time."""
    return datetime.now(UTC)


class SandboxClock:
    """The time for every part of the sandbox.

    Args:
        real_now: Reads the real time, as an aware UTC time.
        sleep: Waits real seconds.
    """

    def __init__(self, real_now: RealNow, sleep: Sleep) -> None:
        self._real_now = real_now
        self._sleep = sleep
        self._offset = timedelta()
        self._moved = asyncio.Event()
        self._stopped = asyncio.Event()

    def now(self) -> datetime:
        """Return the sandbox's time in UTC."""
        return self._real_now() + self._offset

    def real_now(self) -> datetime:
        """Return the real time in UTC, however the clock was set."""
        return self._real_now()

    def move_to(self, moment: datetime) -> None:
        """Set the time to `moment`; it goes on from there."""
        self._set_offset(moment - self._real_now())

    def reset(self) -> None:
        """Return to the real time."""
        self._set_offset(timedelta())

    async def sleep(self, seconds: float) -> None:
        """Wait real seconds, or until `stop`. Moving the clock changes nothing."""
        await self._sleep_unless(self._stopped, seconds)

    def stop(self) -> None:
        """End every `sleep`, now and later."""
        self._stopped.set()

    async def wait_until(self, moment: datetime) -> None:
        """Wait until the sandbox's time is `moment`; moving the clock past it ends the wait."""
        while (seconds := (moment - self.now()).total_seconds()) > 0:
            await self._sleep_unless(self._moved, seconds)

    async def wait_for(self, event: asyncio.Event, longest: timedelta) -> None:
        """Wait for `event`, or until the sandbox's time is `longest` later."""
        await _first_of(event.wait(), self.wait_until(self.now() + longest))

    async def _sleep_unless(self, event: asyncio.Event, seconds: float) -> None:
        await _first_of(event.wait(), self._sleep(seconds))

    def _set_offset(self, offset: timedelta) -> None:
        self._offset = offset
        self._moved.set()
        self._moved = asyncio.Event()


async def _first_of(*waits: Awaitable[object]) -> None:
    """Wait until one of them is over, and drop the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
