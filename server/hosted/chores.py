"""What goes on beside the calls of a hosted endpoint, and begins anew should it fail."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio

Chore = Callable[[], Coroutine[Any, Any, None]]
"""Does what never ends by itself."""

_PAUSE: Final = 5.0
"""Before what failed begins anew, in seconds."""

_log: Final = logging.getLogger(__name__)


@asynccontextmanager
async def beside(chore: Chore, sleep: Callable[[float], Awaitable[None]]) -> AsyncGenerator[None]:
    """Run a chore until the block is left. Should it fail, the log says so, and it begins anew.

    It is ended by a scope: a cancelled task would break off a transaction, which a scope lets end.

    Args:
        chore: What is done.
        sleep: Waits for a number of seconds.
    """
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            while True:
                try:
                    await chore()
                except Exception:  # noqa: BLE001 - logged; nothing else would do the rest of it
                    _log.exception("housekeeping failed by a fault of this server, and begins anew")
                await sleep(_PAUSE)

    task = asyncio.create_task(run())
    try:
        yield
    finally:
        scope.cancel()
        await asyncio.wait([task])
