"""What was found out a moment ago, kept for a few seconds."""

from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_MOST: Final = 256


class Recent(Generic[K, V]):
    """A small memory: the oldest goes when it is full, and everything after a while.

    Args:
        seconds: How long something is kept.
        clock: Seconds that only grow.
    """

    def __init__(self, seconds: float, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[K, tuple[float, V]] = {}

    async def of(self, key: K, find: Callable[[], Awaitable[V]]) -> V:
        """Return what is known of `key`, else find it out."""
        now = self._clock()
        self._kept = {one: kept for one, kept in self._kept.items() if kept[0] > now}
        if key in self._kept:
            return self._kept[key][1]
        found = await find()
        self._kept[key] = (now + self._seconds, found)
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]
        return found
