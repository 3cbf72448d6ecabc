"""Stores in one transaction what comes for a person while the transaction before is under way.

A feed takes one transaction at a time, and each waits for the disk, or for several answers of the
database: a burst would have to wait for as many of them as it has deliveries.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from events.feed.feed import Feeds
from events.identity import Arrival
from storage.errors import StorageUnavailable


@dataclass(slots=True, eq=False)
class _Queued:
    """What waits to be stored.

    Attributes:
        arrival: What happened.
        outcome: Whether an event was published by it, or what failed; None while neither is known.
    """

    arrival: Arrival
    outcome: bool | StorageUnavailable | None = None


@dataclass(slots=True)
class _Line:
    """Who waits for the transaction of one feed.

    Attributes:
        queued: What waits, in order.
        turn: Held by the transaction that is under way.
    """

    queued: list[_Queued] = field(default_factory=list[_Queued])
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Batches:
    """Publishes for all people, in so many transactions at a time."""

    def __init__(self, at_a_time: int) -> None:
        self._places = asyncio.Semaphore(at_a_time)
        self._lines: dict[str, _Line] = {}

    async def publish(self, feeds: Feeds, person: str, arrival: Arrival) -> bool:
        """Store what happened, once; whether an event was published by it. Raises StorageUnavailable.

        Whoever has the turn stores for all who wait, and what the database refuses is refused to all
        of them. After any other failure, whose cause may be what another one brings, each stores its own.
        """
        mine, line = _Queued(arrival), self._lines.setdefault(person, _Line())
        line.queued.append(mine)
        try:
            async with line.turn:
                if mine.outcome is None:
                    async with self._places:
                        await _store_first(feeds, person, mine, line.queued)
        finally:
            line.queued.remove(mine)
            if not line.queued:
                self._lines.pop(person, None)
        if isinstance(mine.outcome, StorageUnavailable):
            raise mine.outcome
        return bool(mine.outcome)


async def _store_first(feeds: Feeds, person: str, mine: _Queued, queued: Sequence[_Queued]) -> None:
    waiting = [each for each in queued if each.outcome is None]
    try:
        await _store(feeds, person, waiting)
    except Exception:
        if waiting == [mine]:
            raise
        await _store(feeds, person, [mine])


async def _store(feeds: Feeds, person: str, waiting: Sequence[_Queued]) -> None:
    try:
        outcomes: Sequence[bool | StorageUnavailable] = await feeds.publish_together(
            person, [each.arrival for each in waiting]
        )
    except StorageUnavailable as fault:
        outcomes = [fault] * len(waiting)
    for each, outcome in zip(waiting, outcomes, strict=True):
        each.outcome = outcome
