"""Handling SIGTERM and SIGINT as a request to finish."""

import asyncio
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def on_termination(act: Callable[[], object]) -> Generator[None]:
    """Run `act` in the event loop on every SIGTERM and SIGINT inside the block, instead of ending the process.

    The handlers are plain functions: they work on all platforms, and sse-starlette cuts the answers
    in flight if a handler is a method of a uvicorn server.
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
