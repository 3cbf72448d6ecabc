"""The sandbox's time: the machine's clock plus an offset that a control may set."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

RealNow = Callable[[], datetime]
Sleep = Callable[[float], Awaitable[None]]


def utc_now() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


class SandboxClock:
    """Time as every part of the sandbox sees it.

    Args:
        real_now: the clock underneath, an aware UTC time.
        sleep: how to let seconds of that clock pass.
    """

    def __init__(self, real_now: RealNow, sleep: Sleep) -> None:
        self._real_now = real_now
        self._sleep = sleep
        self._offset = timedelta()
        self._moved = asyncio.Event()
        self._stopped = asyncio.Event()

    def now(self) -> datetime:
        """Return the sandbox's time, in UTC."""
        return self._real_now() + self._offset

    def move_to(self, moment: datetime) -> None:
        """Make it `moment`; time goes on from there."""
        self._set_offset(moment - self._real_now())

    def reset(self) -> None:
        """Show the real time again."""
        self._set_offset(timedelta())

    async def sleep(self, seconds: float) -> None:
        """Let real seconds pass, whatever this clock is moved to meanwhile, unless it is stopped."""
        await self._sleep_unless(self._stopped, seconds)

    def stop(self) -> None:
        """Let everyone who sleeps go on: nothing is waited for any more."""
        self._stopped.set()

    async def wait_until(self, moment: datetime) -> None:
        """Return once it is `moment`, at once when the clock is moved past it."""
        while (seconds := (moment - self.now()).total_seconds()) > 0:
            await self._sleep_unless(self._moved, seconds)

    async def _sleep_unless(self, event: asyncio.Event, seconds: float) -> None:
        happened = asyncio.ensure_future(event.wait())
        slept = asyncio.ensure_future(self._sleep(seconds))
        try:
            await asyncio.wait((happened, slept), return_when=asyncio.FIRST_COMPLETED)
        finally:
            happened.cancel()
            slept.cancel()

    def _set_offset(self, offset: timedelta) -> None:
        self._offset = offset
        self._moved.set()
        self._moved = asyncio.Event()
