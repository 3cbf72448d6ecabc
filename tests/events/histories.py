"""Histories of meetings at Calendly: what its API says after each change, and what its webhooks tell of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from calendly.request import JSON
from events.facts import written
from events.identity import Arrival, told

BEGINNING: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)
PERSON: Final = "https://api.calendly.com/users/U"
API: Final = "https://api.calendly.com"


def seeded(seed: int) -> Random:
    """Return a source of chance that is the same every time."""
    return Random(seed)  # noqa: S311 - it decides what a test tries


@dataclass
class Account:
    """What a person's account holds, and what became of it.

    Attributes:
        random: Decides what happens.
        now: The time of the last change.
        name: In the URIs of what happens here, where other accounts are beside it.
        meetings: By URI.
        invitees: By URI.
        changes: Each change: the deliveries that tell it, and the meetings that it touched.
    """

    random: Random
    now: datetime = BEGINNING
    name: str = ""
    meetings: dict[str, JSON] = field(default_factory=dict)
    invitees: dict[str, JSON] = field(default_factory=dict)
    changes: "list[Change]" = field(default_factory=list)

    def go_on(self, steps: int) -> None:
        """Let so much happen."""
        for _ in range(steps):
            self.now += timedelta(seconds=self.random.randint(1, 5000))
            self.random.choice((self.book, self.book, self.cancel, self.move, self.move, self.mark, self.unmark))()

    def book(self) -> None:
        """Somebody books a meeting, or joins one of a group."""
        open_groups = [uri for uri, meeting in self.meetings.items() if meeting["status"] == "active"]
        joins = open_groups and self.random.random() < 0.3
        meeting = self.random.choice(open_groups) if joins else self.new_meeting()
        self._note([self._delivery("invitee.created", self._new_invitee(meeting))])

    def cancel(self) -> None:
        """Somebody cancels."""
        for uri in self._some("active"):
            self._end(uri, rescheduled=False, new=None)
            self._note([self._delivery("invitee.canceled", uri)])

    def move(self) -> None:
        """Somebody moves a meeting to another time."""
        for old in self._some("active"):
            new = self._new_invitee(self.new_meeting(), old)
            self._end(old, rescheduled=True, new=new)
            self._note([self._delivery("invitee.canceled", old), self._delivery("invitee.created", new)])

    def mark(self) -> None:
        """The host marks somebody as a no-show."""
        for uri in self._some("active"):
            if self.invitees[uri]["no_show"] is None:
                made = f"{API}/invitee_no_shows/N{self.name}{len(self.changes)}"
                self.invitees[uri]["no_show"] = {"uri": made, "created_at": written(self.now)}
                self._note([self._delivery("invitee_no_show.created", uri)])

    def unmark(self) -> None:
        """The host takes such a mark back."""
        for uri in [uri for uri, invitee in self.invitees.items() if invitee["no_show"]][:1]:
            self.invitees[uri]["no_show"] = None
            self._note([self._delivery("invitee_no_show.deleted", uri)])

    def _some(self, status: str) -> list[str]:
        found = [uri for uri, invitee in self.invitees.items() if invitee["status"] == status]
        return [self.random.choice(found)] if found else []

    def new_meeting(self) -> str:
        """Make a meeting to which nobody comes yet, and return its URI."""
        uri = f"{API}/scheduled_events/E{self.name}{len(self.meetings)}"
        self.meetings[uri] = {
            "uri": uri,
            "name": "Intro call",
            "status": "active",
            "start_time": written(self.now + timedelta(days=2)),
            "end_time": written(self.now + timedelta(days=2, minutes=30)),
            "event_type": f"{API}/event_types/T",
            "location": {"type": "zoom"},
            "invitees_counter": {"total": 0, "active": 0, "limit": 5},
            "created_at": written(self.now),
            "updated_at": written(self.now),
        }
        return uri

    def _new_invitee(self, meeting: str, old: str | None = None) -> str:
        uri = f"{meeting}/invitees/I{self.name}{len(self.invitees)}"
        self.invitees[uri] = {
            "uri": uri,
            "event": meeting,
            "status": "active",
            "name": f"Guest {len(self.invitees)}",
            "email": f"guest{len(self.invitees)}@example.com",
            "timezone": "Europe/Berlin",
            "rescheduled": False,
            "old_invitee": old,
            "new_invitee": None,
            "no_show": None,
            "invitee_scheduled_by": None,
            "created_at": written(self.now),
            "updated_at": written(self.now),
        }
        self._count(meeting)
        return uri

    def _count(self, meeting: str) -> None:
        """Count who comes to a meeting, as the meeting says."""
        states = [invitee["status"] for invitee in self.invitees.values() if invitee["event"] == meeting]
        counter = {"total": len(states), "active": states.count("active"), "limit": 5}
        self.meetings[meeting] |= {"invitees_counter": counter, "updated_at": written(self.now)}

    def _end(self, uri: str, *, rescheduled: bool, new: str | None) -> None:
        canceled = {"canceler_type": "invitee", "reason": "ill", "created_at": written(self.now)}
        self.invitees[uri] |= {
            "status": "canceled",
            "rescheduled": rescheduled,
            "new_invitee": new,
            "cancellation": canceled,
            "updated_at": written(self.now),
        }
        event = self.invitees[uri]["event"]
        self._count(event)
        if self.meetings[event]["invitees_counter"]["active"] == 0:
            self.meetings[event]["status"] = "canceled"

    def _delivery(self, event: str, uri: str) -> JSON:
        invitee = self.invitees[uri]
        return json.loads(  # type: ignore[no-any-return]  # as it was then
            json.dumps(
                {
                    "event": event,
                    "created_at": written(self.now),
                    "created_by": PERSON,
                    "payload": {**invitee, "scheduled_event": self.meetings[invitee["event"]]},
                }
            )
        )

    def _note(self, deliveries: list[JSON]) -> None:
        touched = {delivery["payload"]["event"] for delivery in deliveries}
        seen = [
            (self.meetings[invitee["event"]], invitee)
            for invitee in self.invitees.values()
            if invitee["event"] in touched
        ]
        self.changes.append(Change(self.now, deliveries, json.loads(json.dumps(seen))))


@dataclass(frozen=True)
class Change:
    """A change.

    Attributes:
        at: When.
        deliveries: What Calendly's webhooks tell of it.
        seen: The meetings that it touched, each with an invitee, as the API says then.
    """

    at: datetime
    deliveries: list[JSON]
    seen: list[tuple[JSON, JSON]]


def history(seed: int, steps: int = 8) -> list[Change]:
    """Make a history."""
    account = Account(seeded(seed))
    account.go_on(steps)
    return account.changes


def arrivals(deliveries: list[JSON]) -> Iterator[Arrival]:
    """Read deliveries as the receiver does."""
    for delivery in deliveries:
        body: dict[str, Any] = delivery
        yield told(body["event"], body["created_at"], body["payload"], json.dumps(body).encode(), BEGINNING)
