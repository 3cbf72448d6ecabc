"""Tasks that are ended by scopes: a cancelled task would break off its transaction, which a scope lets end."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

import anyio


@dataclass(slots=True)
class ScopedTasks:
    """Tasks that go on beside whoever began them."""

    _scopes: dict[asyncio.Task[None], anyio.CancelScope] = field(
        default_factory=dict[asyncio.Task[None], anyio.CancelScope]
    )

    def begin(self, work: Awaitable[None]) -> asyncio.Task[None]:
        """Begin a task."""
        scope = anyio.CancelScope()
        task = asyncio.create_task(_within(scope, work))
        self._scopes[task] = scope
        task.add_done_callback(self._scopes.pop)
        return task

    def stop(self) -> None:
        """Have all end, side by side. Returns at once."""
        for scope in self._scopes.values():
            scope.cancel()

    async def late(self, seconds: float | None = None) -> set[asyncio.Task[None]]:
        """Wait for all to end, and return those that have not within so many seconds."""
        return (await asyncio.wait([*self._scopes], timeout=seconds))[1] if self._scopes else set()


async def _within(scope: anyio.CancelScope, work: Awaitable[None]) -> None:
    with scope:
        await work
