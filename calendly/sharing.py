"""Shared reads: identical reads in flight for one account are one request. Some answers are cached."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from calendly.pacing.account_queue import Waiting
from calendly.reading import parse
from calendly.request import JSON, Request

_CACHED_SECONDS: Final = 5.0
_MOST_CACHED: Final = 256
_LARGEST_CACHED: Final = 65_536

_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class SharedAnswer:
    """An answer for several callers. Each takes an object of its own."""

    def __init__(self, body: bytes, parsed: JSON) -> None:
        self.body = body
        self._parsed: JSON | None = parsed

    def take(self) -> JSON:
        """Return the answer. The first caller gets the object that is parsed already."""
        parsed, self._parsed = self._parsed, None
        return (parse(self.body) or {}) if parsed is None else parsed


@dataclass(slots=True, eq=False)
class InFlight:
    """A request in flight.

    Attributes:
        deadline: When the last caller gives up, on the clock.
        listeners: Receive progress while the request waits for its turn.
        is_sent: Whether Calendly may have seen the current try.
    """

    deadline: float
    listeners: list[Waiting] = field(default_factory=list[Waiting])
    is_sent: bool = False

    async def waiting(self, seconds: float) -> None:
        """Tell every listener how long the request still waits.

        A listener that fails affects no other.
        """
        await asyncio.gather(*(listener(seconds) for listener in self.listeners), return_exceptions=True)


Fetch = Callable[[InFlight], Awaitable[SharedAnswer]]


@dataclass(slots=True, eq=False)
class _SharedRead:
    request: InFlight
    task: asyncio.Task[SharedAnswer]
    callers: int = 0


class SharedReads:
    """The shared reads and cached answers of all accounts of a process.

    Args:
        clock: Seconds that only move forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._reads: dict[_Key, _SharedRead] = {}
        self._cached: dict[_Key, tuple[float, SharedAnswer]] = {}  # the oldest first
        self._tasks: set[asyncio.Task[SharedAnswer]] = set()  # the event loop itself holds them only weakly

    async def read(
        self, user: str, request: Request, fetch: Fetch, *, deadline: float, waiting: Waiting | None
    ) -> JSON:
        """Return Calendly's answer to a read of `user`, joining an identical read in flight.

        A caller that is cancelled leaves the request to the others. It ends with the last one.

        Raises:
            CalendlyError: As `fetch` does.
        """
        key = (user, request.path, tuple(sorted(request.parameters.items())))
        until, cached = self._cached.get(key, (0.0, None))
        if cached is not None and self._clock() < until:
            return cached.take()
        read = self._reads.get(key) or self._start(key, request, fetch, deadline)
        read.request.deadline = max(read.request.deadline, deadline)
        read.request.listeners += [waiting] if waiting else []
        read.callers += 1
        try:
            return (await asyncio.shield(read.task)).take()
        finally:
            read.callers -= 1
            if waiting is not None:
                read.request.listeners.remove(waiting)
            if not read.callers and not read.task.done():
                self._close(key, read.request)
                read.task.cancel()

    def forget(self, user: str) -> None:
        """Drop what was read for `user`, who writes: no later read may get an answer from before."""
        for key in [key for key in self._cached if key[0] == user]:
            del self._cached[key]
        for key in [key for key in self._reads if key[0] == user]:
            del self._reads[key]

    def _start(self, key: _Key, request: Request, fetch: Fetch, deadline: float) -> _SharedRead:
        in_flight = InFlight(deadline)
        task = asyncio.create_task(self._fetch(key, request, fetch, in_flight))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        read = self._reads[key] = _SharedRead(in_flight, task)
        return read

    async def _fetch(self, key: _Key, request: Request, fetch: Fetch, in_flight: InFlight) -> SharedAnswer:
        try:
            answer = await fetch(in_flight)
            if request.endpoint.is_cacheable and self._is_open(key, in_flight):
                self._cache(key, answer)
            return answer
        finally:
            self._close(key, in_flight)

    def _is_open(self, key: _Key, in_flight: InFlight) -> bool:
        return key in self._reads and self._reads[key].request is in_flight

    def _close(self, key: _Key, in_flight: InFlight) -> None:
        """Let no further caller join."""
        if self._is_open(key, in_flight):
            del self._reads[key]

    def _cache(self, key: _Key, answer: SharedAnswer) -> None:
        if len(answer.body) > _LARGEST_CACHED:
            return
        now = self._clock()
        for old in [old for old, (until, _) in self._cached.items() if until <= now]:
            del self._cached[old]
        if len(self._cached) >= _MOST_CACHED:
            del self._cached[next(iter(self._cached))]
        self._cached.pop(key, None)
        self._cached[key] = (now + _CACHED_SECONDS, answer)
