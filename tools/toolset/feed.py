"""What has happened in a person's account, as tools see it; the server supplies it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from pydantic import Field
from typing_extensions import TypedDict

from calendly.errors import CalendlyError
from calendly.request import Request


class EventData(TypedDict, total=False):
    """What an event says. Its fields depend on the kind."""


class ReceivedEvent(TypedDict, total=False):
    """Something that happened."""

    event_id: str
    kind: str
    occurred_at: Annotated[str, Field(description="UTC")]
    data: EventData


@dataclass(frozen=True, slots=True)
class FeedRow:
    """An event and the cursor behind it."""

    event: ReceivedEvent
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedQuery:
    """Which events are asked for.

    Attributes:
        cursor: What came after it; None for the newest.
        kinds: Of these kinds, None for all that the agent may see.
        event_type: Of meetings of this event type (its uuid).
        count: At most so many.
        timezone: The zone of local times, None for the person's own.
    """

    cursor: str | None = None
    kinds: Collection[str] | None = None
    event_type: str | None = None
    count: int = 20
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsFound:
    """Events, oldest first.

    Attributes:
        rows: They.
        cursor: Behind the last of all that were asked about.
        has_more: Further ones come after `cursor`.
        is_truncated: Earlier ones are kept no more.
        source: How this server learns of events.
        checked_at: When it last looked at Calendly, None where it did not yet.
        since: Nothing that happened before is told, but by a webhook.
        next_look: When a call looks at Calendly again, None where none has to.
        left_out: The kinds that were asked about and that the agent may not see.
        is_unread: Calendly was not read to the end yet.
        is_foreign: The cursor is none of this feed.
        is_looked_for: A look learns of a kind that was asked about.
    """

    rows: Sequence[FeedRow]
    cursor: str
    has_more: bool
    is_truncated: bool
    source: Literal["webhook", "polling"]
    checked_at: str | None
    since: str
    next_look: str | None = None
    left_out: Sequence[str] = ()
    is_unread: bool = False
    is_foreign: bool = False
    is_looked_for: bool = True


class Feed(Protocol):
    """The events of one person, as far as one agent may see them."""

    async def read(self, query: FeedQuery) -> EventsFound:
        """Return events; looks at Calendly first where that is due.

        Raises:
            ArgumentError: A kind does not exist.
            CalendlyError: Calendly cannot be read for this person.
            Unreachable: The database failed.
        """
        ...

    async def event(self, event_id: str) -> ReceivedEvent | None:
        """Return one event, None where there is none that the agent may see. Raises Unreachable."""
        ...


class WatchedFamily(TypedDict, total=False):
    """How it is with Calendly's webhook for a family of events."""

    events: str
    state: str
    last_told: str


class WebhookSwitch(Protocol):
    """Calendly's webhooks of one person, as far as one agent may switch them."""

    @property
    def out_of_reach(self) -> str | None:
        """Why Calendly cannot post to this server, None where it can."""
        ...

    def families(self, kinds: Collection[str] | None) -> Sequence[str]:
        """Return the families that kinds belong to, by default those of meetings and no-shows.

        Raises:
            ArgumentError: A kind does not exist.
            DeniedByPolicy: The agent may not see it.
        """
        ...

    async def states(self) -> Sequence[WatchedFamily]:
        """Return what is on. Raises Unreachable."""
        ...

    async def requests(self, families: Collection[str], *, stop: bool) -> Sequence[Request]:
        """Return what would be sent, without the secrets in it. Raises CalendlyError."""
        ...

    async def switch(self, families: Collection[str], *, stop: bool) -> Mapping[str, CalendlyError]:
        """Make webhooks, or remove them. Returns what Calendly refused, by family. Raises CalendlyError, ToolError."""
        ...
