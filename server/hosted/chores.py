"""What goes on beside the calls of a hosted endpoint: begins anew should it fail, and ends when the process stops."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import anyio

Chore = Callable[[], Coroutine[Any, Any, None]]
"""Does what never ends by itself."""

_PAUSE: Final = 5.0
"""Before what failed begins anew, in seconds."""

_STOPPING: Final = 15.0
"""How long all may take to end, in seconds: longer than a transaction, and than the posts under way get."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chores:
    """What goes on.

    It is ended by scopes: a cancelled task would break off a transaction, which a scope lets end.

    Attributes:
        sleep: Waits for a number of seconds.
    """

    sleep: Callable[[float], Awaitable[None]]
    _going_on: dict[asyncio.Task[None], anyio.CancelScope] = field(
        default_factory=dict[asyncio.Task[None], anyio.CancelScope]
    )

    @asynccontextmanager
    async def beside(self, chores: Iterable[Chore]) -> AsyncGenerator[None]:
        """Run chores until the block is left, or `stop` is called. Should one fail, the log says so."""
        for chore in chores:
            scope = anyio.CancelScope()
            self._going_on[asyncio.create_task(self._run(chore, scope))] = scope
        try:
            yield
        finally:
            self.stop()
            await self._end()

    def stop(self) -> None:
        """Have all end, side by side, while requests in flight go on. Returns at once."""
        for scope in self._going_on.values():
            scope.cancel()

    async def _run(self, chore: Chore, scope: anyio.CancelScope) -> None:
        with scope:
            while True:
                try:
                    await chore()
                except Exception:  # noqa: BLE001 - logged; nothing else would do the rest of it
                    _log.exception("housekeeping failed by a fault of this server, and begins anew")
                await self.sleep(_PAUSE)

    async def _end(self) -> None:
        """Wait for all to end. What takes too long is broken off: a process that stops never waits for ever."""
        if not self._going_on:
            return
        _, late = await asyncio.wait(self._going_on, timeout=_STOPPING)
        for task in late:
            _log.warning("housekeeping did not end in %.0f seconds and is broken off", _STOPPING)
            task.cancel()
