"""What goes on beside the calls of a hosted endpoint: begins anew should it fail, and ends when the process stops."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from storage.scoped_tasks import ScopedTasks

Chore = Callable[[], Coroutine[Any, Any, None]]
"""Does what never ends by itself."""

_PAUSE: Final = 5.0
"""Before what failed begins anew, in seconds."""

_STOPPING: Final = 20.0
"""How long all may take to end, in seconds: as long as the posts under way get, and then a transaction."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Chores:
    """What goes on.

    Attributes:
        sleep: Waits for a number of seconds.
    """

    sleep: Callable[[float], Awaitable[None]]
    _going_on: ScopedTasks = field(default_factory=ScopedTasks)

    @asynccontextmanager
    async def beside(self, chores: Iterable[Chore]) -> AsyncGenerator[None]:
        """Run chores until the block is left, or `stop` is called. Should one fail, the log says so."""
        for chore in chores:
            self._going_on.begin(self._run(chore))
        try:
            yield
        finally:
            self.stop()
            await self._end()

    def stop(self) -> None:
        """Have all end, side by side, while requests in flight go on. Returns at once."""
        self._going_on.stop()

    async def _run(self, chore: Chore) -> None:
        while True:
            try:
                await chore()
            except Exception:  # noqa: BLE001 - logged; nothing else would do the rest of it
                _log.exception("housekeeping failed by a fault of this server, and begins anew")
            await self.sleep(_PAUSE)

    async def _end(self) -> None:
        """Wait for all to end. What takes too long is broken off: a process that stops never waits for ever."""
        for task in await self._going_on.late(_STOPPING):
            _log.warning("housekeeping did not end in %.0f seconds and is broken off", _STOPPING)
            task.cancel()
