"""Events as one grant sees them, in the shape in which MCP Events tells them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from calendly.request import JSON
from events import stored_events
from events.facts import written
from events.feed import Feeds
from events.payload import Reader, shown
from events.standing import Standing


@dataclass(frozen=True, slots=True)
class EventContents:
    """Reads events of the feeds.

    Attributes:
        feeds: The feeds of people.
    """

    feeds: Feeds = field(repr=False)

    async def of(self, event: str, standing: Standing) -> dict[str, Any] | None:
        """Return an event by the id of its row as a grant may see it now, None when its payload is gone.

        Raises StorageUnavailable.
        """
        async with self.feeds.database.read() as connection:
            row = await stored_events.find(connection, event)
        data = self.feeds.payloads.opened(row) if row else None
        if row is None or data is None:
            return None
        return told(row.event_id, row.kind, row.occurred_at, data, standing.reader)


def told(event_id: str, kind: str, occurred_at: datetime, data: JSON, reader: Reader) -> dict[str, Any]:
    """Return an event as clients get it."""
    return {"eventId": event_id, "name": kind, "timestamp": written(occurred_at), "data": shown(data, reader, None)}
