"""Makes several calls at once. The pacer still limits them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def side_by_side(calls: Iterable[Callable[[], Awaitable[T]]]) -> list[T]:
    """Make all calls at once and return their answers in order. If one fails, the others are cancelled.

    Raises:
        Exception: The first error, as the call raised it.
    """

    async def one(call: Callable[[], Awaitable[T]]) -> T:
        return await call()

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(call)) for call in calls]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]
