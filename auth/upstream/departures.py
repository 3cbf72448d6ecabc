"""What is still done at Calendly for people who have left, beside the requests that they left with."""

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

_LAST_WORDS: Final = 15.0
"""How long that is at most, in seconds: the removal of webhooks, and the revocation after it."""

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class Departures:
    """The tasks of a process that remove what is left at Calendly.

    Attributes:
        patience: How long a process that ends waits for them, in seconds.
    """

    patience: float = _LAST_WORDS
    _under_way: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def begin(self, removal: Coroutine[Any, Any, None]) -> None:
        """Begin to remove what somebody has left. The request does not wait for it."""
        task = asyncio.create_task(removal)
        self._under_way.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait for what is under way; what takes too long is left to Calendly, which ends it with its time."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=self.patience)
        for task in late:
            _log.warning("the tokens and webhooks of somebody who left are not removed at Calendly")
            task.cancel()
        if late:
            await asyncio.wait(late)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            _log.error("what somebody left at Calendly could not be removed by a fault of this server", exc_info=fault)
