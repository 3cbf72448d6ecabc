"""Feeds for tests, with a clock that stands still until it is told."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from events.feed.feed import Feeds
from events.feed.publishing import FanOut, to_nobody
from events.feed.stored_events import Wanted
from events.identity import Arrival
from events.kinds import KINDS
from storage.database import Database
from storage.keys import Key, KeyRing
from tests.events.histories import BEGINNING, PERSON, Account, arrivals, seeded

KEYRING: Final = KeyRing([Key("k1", b"1" * 32)])


@dataclass
class Clock:
    """A wall clock."""

    now: datetime = BEGINNING

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


def feeds_in(
    database: Database, clock: Callable[[], datetime] = lambda: BEGINNING, fan_out: FanOut = to_nobody
) -> Feeds:
    """Make the feeds of a replica."""
    return Feeds(database=database, keyring=KEYRING, now=clock, random=seeded(1).randbytes, fan_out=fan_out)


@dataclass
class Happenings:
    """Lets things happen at Calendly, and returns what its webhooks tell."""

    account: Account = field(default_factory=lambda: Account(seeded(7)))

    def __getattr__(self, change: str) -> "Callable[[], list[Arrival]]":
        def happen() -> list[Arrival]:
            getattr(self.account, change)()
            return list(arrivals(self.account.changes[-1].deliveries))

        return happen


def all_kinds(count: int = 1000) -> Wanted:
    """Want every event."""
    return Wanted(kinds=list(KINDS), count=count)


async def kinds_in(feeds: Feeds, person: str = PERSON) -> list[str]:
    """Return the kinds of the events of a person, in order."""
    return [event.kind for event in (await feeds.read(person, all_kinds())).events]
