"""Events as one grant sees them, in the shape in which MCP Events tells them."""

from dataclasses import dataclass, field
from typing import Any

from events.facts import in_seconds
from events.feed.feed import Feeds
from events.feed.own_changes import OwnChanges
from events.outgoing.standing import EventStanding
from events.payload import shown


@dataclass(frozen=True, slots=True)
class EventContents:
    """Reads events of the feeds.

    Attributes:
        feeds: The feeds of people.
        own_changes: What agents did themselves.
    """

    feeds: Feeds = field(repr=False)
    own_changes: OwnChanges

    async def of(self, row: str, standing: EventStanding) -> dict[str, Any] | None:
        """Return the event of a row as a grant may see it now, None when its payload is gone.

        Raises StorageUnavailable.
        """
        event = await self.feeds.find_row(row)
        if event is None:
            return None
        doers = await self.own_changes.doers(standing.person, standing.grant, [event])
        return {
            "eventId": event.event_id,
            "name": event.kind,
            "timestamp": in_seconds(event.occurred_at),
            "data": shown(event.data, standing.reader, doers.get(event.event_id)),
        }
