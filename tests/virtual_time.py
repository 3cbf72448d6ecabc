"""An event loop whose clock jumps to the next timer as soon as nothing else is left to do.

Waits of minutes take no time, and run in the same order every time. Sockets are real, so the peers of a test belong on
the same loop. A module's tests run on it with

    @pytest.fixture
    def anyio_backend() -> Backend:
        return VIRTUAL_TIME
"""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime, timedelta
from typing import Final, TypeVar

from typing_extensions import TypeVarTuple, Unpack, override

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# The kernel hands loopback data over at once, but on a busy machine not always before the sender goes on.
_GRACE = 0.001


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.threads = 0

    @override
    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.threads:
            return super().select(None)
        ready = super().select(_GRACE)
        if not ready:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """The event loop; `time()` starts at 0."""

    def __init__(self) -> None:
        self._selector_of_time = _Selector()
        super().__init__(self._selector_of_time)

    @override
    def time(self) -> float:
        return self._selector_of_time.now

    @override
    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> "asyncio.Future[T]":
        """Run in a thread, during which the clock stands."""
        future = super().run_in_executor(executor, func, *args)
        self._selector_of_time.threads += 1
        future.add_done_callback(lambda _: self._left())
        return future

    def _left(self) -> None:
        self._selector_of_time.threads -= 1


Backend = tuple[str, dict[str, Callable[[], asyncio.AbstractEventLoop]]]


def going_on_from(start: datetime) -> Callable[[], datetime]:
    """Return a wall clock that goes on from `start` as the clock of the loop does."""
    return lambda: start + timedelta(seconds=asyncio.get_running_loop().time())


VIRTUAL_TIME: Final[Backend] = ("asyncio", {"loop_factory": VirtualTimeLoop})
