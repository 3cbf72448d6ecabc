"""The posts of a process that are under way: so many at a time, and so many of them to one host."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from events.outgoing.stored_deliveries import PostingRoom

_MOST: Final = 16
_MOST_OF_HOST: Final = 4


@dataclass(slots=True)
class PostsInFlight:
    """What is posted now, by whoever posts."""

    _busy: Counter[str] = field(default_factory=Counter[str])
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def room(self) -> PostingRoom:
        """How many more posts may begin."""
        return PostingRoom(self._busy, _MOST, _MOST_OF_HOST)

    def begin(self, host: str) -> None:
        """Count a post to a host."""
        self._busy[host] += 1

    def end(self, host: str) -> None:
        """Count it no more."""
        self._busy[host] -= 1
        self._busy += Counter()  # forgets hosts without posts
        self._ended.set()

    @asynccontextmanager
    async def one(self, host: str) -> AsyncGenerator[None]:
        """Wait until there is room for a post to a host, and count it until the block is left."""
        while self.room.left <= 0 or host in self.room.full:
            self._ended.clear()
            await self._ended.wait()
        self.begin(host)
        try:
            yield
        finally:
            self.end(host)
