"""SIGTERM and SIGINT as a request to finish."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_termination(act: Callable[[], object]) -> Generator[None]:
    """Let `act` run in the event loop on every SIGTERM and SIGINT inside the block, instead of ending the process.

    Plain functions as handlers: on all platforms there are, and sse-starlette takes a handler that is a method of a
    uvicorn server for a leave to cut the answers in flight.
    """
    loop = asyncio.get_running_loop()

    def handle(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(act)

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
