"""What deliveries ask of the rest of the server: what a grant may see now, and to note what was done."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from events.payload import Reader
from storage.connection import DatabaseConnection

AgentNames = Callable[[DatabaseConnection, Collection[str]], Awaitable[Mapping[str, str]]]
"""Finds what the agents of grants are called, also of those that have ended, by the ids of the grants."""

Refusal = Literal["access", "scope", "connection", "callback"]
"""Why a grant may not have an event: its level, its scope, the person's connection to Calendly, or the callback."""

EventAction = Literal[
    "subscribe_events",
    "refresh_events",
    "unsubscribe_events",
    "poll_events",
    "listen_events",
    "end_listening",
    "deliver_event",
    "suspend_subscription",
    "end_subscription",
]
"""What is noted about agents that want to know of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStanding:
    """What a grant may see of one kind of events at this moment.

    Attributes:
        grant: Its id.
        person: The person's Calendly user URI.
        agent: What the agent is called.
        reader: What it sees of an event.
        refusal: Why it may have no event of the kind, None where it may.
        waits: The person has to sign in at Calendly again.
    """

    grant: str
    person: str
    agent: str
    reader: Reader
    refusal: Refusal | None = None
    waits: bool = False


class EventStandings(Protocol):
    """Tells what grants may see, read anew each time."""

    async def of(self, grant: str, kind: str) -> EventStanding | None:
        """Return what a grant may see of a kind, None when the grant is over. Raises StorageUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNote:
    """An entry of the audit log about events.

    Attributes:
        action: What was done.
        told: The sentence, with `{person}` and `{agent}` for their names.
        person: The person's Calendly user URI, None where it is not known.
        agent: What the agent is called.
        grant: The id of its grant, None where there are none.
        is_refused: It was refused.
        by_operator: The operator did it, at the machine.
    """

    action: EventAction
    told: str
    person: str | None
    agent: str
    grant: str | None
    is_refused: bool = False
    by_operator: bool = False


class NotNoted(Exception):
    """An entry could not be stored, so that what it is about may not be done."""


class Noted(Protocol):
    """The audit log."""

    async def keep(self, note: EventNote) -> None:
        """Store an entry before returning. Raises NotNoted."""
        ...

    async def note(self, note: EventNote) -> None:
        """Store an entry, later where that fails now."""
        ...

    def jot(self, note: EventNote) -> None:
        """Queue an entry that nobody waits for."""
        ...
