"""The names of people's event types, for pages on which they choose among them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from auth.upstream.connections import Connections
from calendly.client import Calendly
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, InvalidIdentifier
from calendly.paging import walk
from calendly.request import JSON, Account, Request
from calendly.third_party_text import shown
from tools.endpoints.event_types import list_event_types
from tools.toolset.tool import endpoint_of

_ENDPOINT: Final = endpoint_of(list_event_types).endpoint

_AGENT: Final = "pages"
"""Whose share of a person's pace it takes: a page has one of its own."""

_PATIENCE: Final = 10.0
"""Seconds that a page waits for them."""

_MOST_PAGES: Final = 5
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class OwnEventTypes:
    """Asks Calendly over the person's own connection: `auth.endpoints.site.EventTypes`.

    Args:
        calendly: Gives the HTTP core.
        connections: The people's connections.
        clock: Seconds that only grow.
    """

    calendly: Callable[[], Calendly]
    connections: Connections
    clock: Callable[[], float]

    async def names(self, person: str) -> Mapping[str, str]:
        """Return the names of a person's event types by uuid; none when they cannot be had now."""
        account = Account(person, _AGENT, self.connections.refresher.credentials(person))
        deadline = self.clock() + _PATIENCE

        async def page(token: str | None) -> JSON:
            request = Request(_ENDPOINT, query={"user": person, "count": 100, "sort": "name:asc", "page_token": token})
            answer = await self.calendly().send(request, account, deadline=deadline)
            return answer if isinstance(answer.get("collection"), list) else {**answer, "collection": []}

        try:
            found = await walk(page, None, _MOST_PAGES)
        except CalendlyError:
            return {}
        return dict(filter(None, map(_named, found["collection"])))


def _named(row: object) -> tuple[str, str] | None:
    if not isinstance(row, dict):
        return None
    members = cast("JSON", row)
    uri, name = members.get("uri"), members.get("name")
    try:
        uuid = EventTypeId.parse(uri if isinstance(uri, str) else "").uuid
    except InvalidIdentifier:
        return None
    return uuid, (shown(name)[:_LONGEST_NAME] if isinstance(name, str) else "") or uuid
