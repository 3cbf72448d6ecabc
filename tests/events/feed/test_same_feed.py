"""Webhooks alone, looks alone and both together tell the same events. Pure."""

from dataclasses import dataclass, field
from random import Random

import pytest

from events.identity import Arrival, Seen, implied, unmark
from events.joining import Mark, Stored, ended_mark, joined, of_mark, open_marks, place
from events.kinds import MARKED, UNMARKED
from tests.cases import each
from tests.events.histories import Change, arrivals, history, seeded


@dataclass
class PureFeed:
    """What a feed does with arrivals, without a database."""

    stored: dict[str, Arrival] = field(default_factory=dict)

    @property
    def told(self) -> set[tuple[str, str]]:
        """What was published."""
        return {(arrival.event_id, arrival.kind) for arrival in self.stored.values() if arrival.half is None}

    def take(self, arrival: Arrival) -> None:
        """Store what happened."""
        mark = ended_mark(arrival, self.marks(arrival.invitee)) if arrival.half == "unmark" else None
        found = of_mark(arrival, mark) if mark else arrival
        earlier = self.stored.get(found.event_id)
        placed = place(found, None if earlier is None else Stored(earlier if earlier.half else None))
        if placed is None:
            return
        self.stored[found.event_id] = placed
        if placed.kind == MARKED:
            waits = [other for other in self.stored.values() if other.half == "unmark"]
            for other in waits:
                if other.invitee == placed.invitee and other.occurred_at >= placed.occurred_at:
                    del self.stored[other.event_id]
                    self.take(other)
                    break

    def marks(self, invitee: str | None) -> list[Mark]:
        """Return the marks of an invitee that are known, and their ends."""
        return [
            Mark(arrival.kind, arrival.occurred_at, arrival.data.get("no_show", {}).get("uri"))
            for arrival in self.stored.values()
            if arrival.invitee == invitee and arrival.kind in {MARKED, UNMARKED} and arrival.half is None
        ]

    def look(self, change: Change) -> None:
        """Read what a change touched."""
        found = joined(arrival for meeting, invitee in change.seen for arrival in implied(meeting, invitee))
        for arrival in found:
            self.take(arrival)
        for meeting, invitee in change.seen:
            present: str | None = invitee["no_show"]["uri"] if invitee["no_show"] else None
            for mark in open_marks(self.marks(invitee["uri"]), present):
                self.take(unmark(Seen(invitee["uri"], meeting, invitee), change.at, mark))


def by_webhook(changes: list[Change], random: Random) -> PureFeed:
    """Deliver everything one to three times; what belongs to one change in any order."""
    feed = PureFeed()
    for change in changes:
        deliveries = [delivery for delivery in change.deliveries for _ in range(random.randint(1, 3))]
        random.shuffle(deliveries)
        for arrival in arrivals(deliveries):
            feed.take(arrival)
    return feed


def by_look(changes: list[Change]) -> PureFeed:
    feed = PureFeed()
    for change in changes:
        feed.look(change)
    return feed


def by_both(changes: list[Change], random: Random) -> PureFeed:
    feed = PureFeed()
    for change in changes:
        steps = [*arrivals(change.deliveries), None]
        random.shuffle(steps)
        for step in steps:
            if step is None:
                feed.look(change)
            else:
                feed.take(step)
    return feed


@each("seed", range(300))
@pytest.mark.requirement("feed-same")
def test_webhooks_looks_and_both_give_the_same_events(seed: int) -> None:
    changes, random = history(seed, steps=10), seeded(seed)
    told = by_webhook(changes, random).told
    assert told == by_look(changes).told
    assert told == by_both(changes, random).told


def test_the_order_of_all_deliveries_does_not_matter() -> None:
    for seed in range(60):
        changes, random = history(seed, steps=10), seeded(seed)
        deliveries = [delivery for change in changes for delivery in change.deliveries]
        told = by_webhook(changes, random).told
        random.shuffle(deliveries)
        feed = PureFeed()
        for arrival in arrivals(deliveries):
            feed.take(arrival)
        assert feed.told == told
