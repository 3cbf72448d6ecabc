"""One request for many: identical reads in flight for one user are one, and a few answers are kept for seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from calendly.pacing.pacer import Waiting
from calendly.reading import parse
from calendly.request import JSON, Request

# What nearly every conversation asks for again and again, and what changes only by hand or by a write of ours.
_KEPT: Final = ("/users/me", "/event_types")
_KEPT_SECONDS: Final = 5.0
_MOST_KEPT: Final = 256
_LARGEST_KEPT: Final = 65_536

_Key = tuple[str, str, tuple[tuple[str, str], ...]]


class Answer:
    """An answer for several callers, each of whom takes an object of its own."""

    def __init__(self, body: bytes, read: JSON) -> None:
        self.body = body
        self._read: JSON | None = read

    def take(self) -> JSON:
        """Return the answer; the first taker gets the object that was read already."""
        read, self._read = self._read, None
        return (parse(self.body) or {}) if read is None else read


@dataclass(slots=True, eq=False)
class Trip:
    """A request on its way.

    Attributes:
        deadline: When the last of those who wait for it gives up, on the clock.
        listeners: Who is told how long it still has to wait for its turn.
        is_sent: Whether Calendly may have seen the try that is being made.
    """

    deadline: float
    listeners: list[Waiting] = field(default_factory=list[Waiting])
    is_sent: bool = False

    async def waiting(self, seconds: float) -> None:
        """Tell everyone that the request waits for its turn; who cannot be told any more disturbs nobody else."""
        await asyncio.gather(*(listener(seconds) for listener in self.listeners), return_exceptions=True)


Fetch = Callable[[Trip], Awaitable[Answer]]


@dataclass(slots=True, eq=False)
class _Flight:
    trip: Trip
    task: asyncio.Task[Answer]
    waiters: int = 0


class SharedReads:
    """The reads in flight, and the answers kept, of all Calendly users of a process."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._flights: dict[_Key, _Flight] = {}
        self._kept: dict[_Key, tuple[float, Answer]] = {}  # the oldest first
        self._tasks: set[asyncio.Task[Answer]] = set()  # the event loop itself holds them only weakly

    async def read(
        self, user: str, request: Request, fetch: Fetch, *, deadline: float, waiting: Waiting | None
    ) -> JSON:
        """Return what Calendly answers `user` to a read, joining an identical one that is on its way.

        A caller that is cancelled leaves the others their request; with the last one it ends.

        Raises:
            CalendlyError: As `fetch` does.
        """
        key = (user, request.path, tuple(sorted(request.parameters.items())))
        until, kept = self._kept.get(key, (0.0, None))
        if kept is not None and self._clock() < until:
            return kept.take()
        flight = self._flights.get(key) or self._take_off(key, fetch, deadline)
        flight.trip.deadline = max(flight.trip.deadline, deadline)
        flight.trip.listeners += [waiting] if waiting else []
        flight.waiters += 1
        try:
            return (await asyncio.shield(flight.task)).take()
        finally:
            flight.waiters -= 1
            if waiting is not None:
                flight.trip.listeners.remove(waiting)
            if not flight.waiters and not flight.task.done():
                self._land(key, flight.trip)
                flight.task.cancel()

    def forget(self, user: str) -> None:
        """Make sure that no read from now on is answered with what was true before: `user` writes."""
        for key in [key for key in self._kept if key[0] == user]:
            del self._kept[key]
        for key in [key for key in self._flights if key[0] == user]:
            del self._flights[key]

    def _take_off(self, key: _Key, fetch: Fetch, deadline: float) -> _Flight:
        trip = Trip(deadline)
        task = asyncio.create_task(self._fly(key, fetch, trip))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        flight = self._flights[key] = _Flight(trip, task)
        return flight

    async def _fly(self, key: _Key, fetch: Fetch, trip: Trip) -> Answer:
        try:
            answer = await fetch(trip)
            if self._is_current(key, trip):
                self._keep(key, answer)
            return answer
        finally:
            self._land(key, trip)

    def _is_current(self, key: _Key, trip: Trip) -> bool:
        return key in self._flights and self._flights[key].trip is trip

    def _land(self, key: _Key, trip: Trip) -> None:
        """Let nobody join any more."""
        if self._is_current(key, trip):
            del self._flights[key]

    def _keep(self, key: _Key, answer: Answer) -> None:
        path = key[1]
        if not (path in _KEPT or path.startswith("/event_types/")) or len(answer.body) > _LARGEST_KEPT:
            return
        now = self._clock()
        for old in [old for old, (until, _) in self._kept.items() if until <= now]:
            del self._kept[old]
        if len(self._kept) >= _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept.pop(key, None)
        self._kept[key] = (now + _KEPT_SECONDS, answer)
