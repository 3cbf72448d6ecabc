"""The events of a person as one agent may see them: `tools.toolset.feed.Feed`."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final, cast

from auth.access.levels import Limits, Operation, decide
from calendly.client import Calendly
from calendly.errors import Unreachable
from calendly.request import JSON, Account, Request
from events.facts import in_seconds
from events.feed.cursor import Cursor, is_of_feed
from events.feed.feed import ReadEvent
from events.feed.stored_events import Wanted
from events.feed.stored_feeds import FRESH, StoredFeed
from events.kinds import FAMILIES, KINDS
from events.payload import Reader, shown
from server.calls.principal import Principal
from server.stores.events import EventStore
from storage.errors import StorageError
from tools.toolset.errors import ArgumentError
from tools.toolset.feed import EventData, EventsFound, FeedQuery, FeedRow, ReceivedEvent
from tools.zones import zone_of

_LOOKS: Final = "looks"
"""The agent under which looks are paced."""

_SECONDS: Final = 30.0
"""How long a look waits for one answer."""


@dataclass(frozen=True, slots=True)
class AccountReads:
    """Reads Calendly for looks, at low priority: `events.looks.looks.PersonAccess`.

    Attributes:
        calendly: The HTTP core.
        account: The person's.
        clock: Seconds that only grow.
    """

    calendly: Calendly
    account: Account
    clock: Callable[[], float]

    @classmethod
    def of(cls, calendly: Calendly, account: Account, clock: Callable[[], float]) -> "AccountReads":
        """Read as the person of an account."""
        return cls(calendly, replace(account, agent=_LOOKS, is_patient=True), clock)

    @property
    def per_minute(self) -> int:
        """How many requests a minute the person may make, as far as is known."""
        return self.calendly.per_minute(self.account)

    async def send(self, request: Request) -> JSON:
        """Send a request that reads. Raises CalendlyError."""
        return await self.calendly.send(request, self.account, deadline=self.clock() + _SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFeed:
    """The events of a person, as far as an agent may see them.

    Attributes:
        events: Where they are.
        person: The user URI.
        principal: The person and the agent.
        reads: Reads Calendly for looks.
        own_zone: Tells the person's own zone, None where it is not known.
    """

    events: EventStore
    person: str
    principal: Principal
    reads: AccountReads
    own_zone: Callable[[], Awaitable[str | None]]

    async def read(self, query: FeedQuery) -> EventsFound:
        """Return events, after a look where that is due. Raises ArgumentError, CalendlyError, Unreachable."""
        wanted = Wanted(kinds=self._kinds(query.kinds), filter=query.event_type, count=query.count)
        async with answering_storage():
            feed = await self._looked(wanted.kinds)
            page = await self.events.feeds.read(self.person, wanted, query.cursor)
            rows = await self._shown(page.events, zone_of(query.timezone or await self.own_zone()))
        polled_at = None if feed.proved_at else feed.checked_at
        is_looked_for = _are_looked_for(wanted.kinds)
        return EventsFound(
            rows=[
                FeedRow(row, str(Cursor(feed.epoch, event.position)))
                for event, row in zip(page.events, rows, strict=True)
            ],
            cursor=str(Cursor(feed.epoch, page.position)),
            has_more=page.has_more,
            is_truncated=page.is_truncated,
            source="webhook" if feed.proved_at else "polling",
            checked_at=in_seconds(feed.checked_at) if feed.checked_at else None,
            since=in_seconds(feed.since),
            next_look=in_seconds(polled_at + FRESH) if polled_at else None,
            is_unread=feed.checked_at is None and feed.proved_at is None and is_looked_for,
            is_foreign=query.cursor is not None and not is_of_feed(query.cursor, epoch=feed.epoch, head=page.head),
            is_looked_for=is_looked_for,
            left_out=[name for name in query.kinds or KINDS if name not in wanted.kinds],
        )

    async def _looked(self, kinds: Collection[str]) -> StoredFeed:
        """Return the feed, after a look where that is due: only of meetings do looks learn."""
        if not _are_looked_for(kinds):
            return await self.events.feeds.begin(self.person)
        rereads = any(name.startswith("no_show.") for name in kinds)
        return await self.events.looks.on_demand(self.person, self.reads, rereads=rereads)

    async def event(self, event_id: str) -> ReceivedEvent | None:
        """Return one event, None where there is none that the agent may see. Raises Unreachable."""
        async with answering_storage():
            event = await self.events.feeds.find_event(self.person, event_id)
            if event is None or event.kind not in self._kinds(None):
                return None
            return (await self._shown([event], zone_of(await self.own_zone())))[0]

    def _kinds(self, asked: Collection[str] | None) -> list[str]:
        """Return the kinds to look for: of those that were asked for, what the agent may see. Raises ArgumentError."""
        readable = readable_kinds(self.principal.limits)
        unknown = [name for name in asked or () if name not in KINDS]
        if unknown:
            raise ArgumentError.of("kinds", f"There is no kind {unknown[0][:40]!a}; there are {', '.join(readable)}.")
        return [name for name in readable if asked is None or name in asked]

    async def _shown(self, events: Sequence[ReadEvent], zone: tzinfo | None) -> list[ReceivedEvent]:
        sees_invitees = self.principal.invitees_hidden_by is None
        reader = Reader(
            zone=zone, sees_invitees=sees_invitees, capabilities=readable_capabilities(self.principal.limits)
        )
        doers = await self.events.own_changes.doers(self.person, self.principal.account.agent, events)
        return [
            {
                "event_id": event.event_id,
                "kind": event.kind,
                "occurred_at": in_seconds(event.occurred_at),
                "data": cast("EventData", shown(event.data, reader, doers.get(event.event_id))),
            }
            for event in events
        ]


def _are_looked_for(kinds: Collection[str]) -> bool:
    return any(KINDS[name].is_of_meeting for name in kinds)


def readable_kinds(limits: Limits) -> list[str]:
    """Return the names of the kinds of events that may be read."""
    capabilities = readable_capabilities(limits)
    return [name for name, kind in KINDS.items() if kind.family is None or kind.family.capability in capabilities]


def readable_capabilities(limits: Limits) -> frozenset[str]:
    """Return the capabilities of the families whose events may be read."""
    operations = {family.capability: Operation(family.capability, "read", family.scope) for family in FAMILIES}
    return frozenset(name for name, each in operations.items() if decide(each, limits).verdict != "deny")


@asynccontextmanager
async def answering_storage() -> AsyncGenerator[None]:
    """Answer a failure of the database as tools do."""
    try:
        yield
    except StorageError:
        raise Unreachable("The events could not be read from the database.") from None
