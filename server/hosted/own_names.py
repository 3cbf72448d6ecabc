"""The names of people's own objects at Calendly, for the pages that show them or offer them as choices."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar, cast

from auth.endpoints.site import MeetingName, NamedCondition
from auth.upstream.connections import Connections
from calendly.client import Calendly
from calendly.endpoint import Endpoint
from calendly.errors import CalendlyError, InvalidArgument, NotFound
from calendly.identifiers import EventTypeId, Identifier, InvalidIdentifier, UserId
from calendly.paging import walk
from calendly.request import JSON, Account, Request
from calendly.side_by_side import side_by_side
from calendly.third_party_text import shown
from tools.endpoints.event_types.event_types import get_event_type, list_event_types
from tools.endpoints.organization import list_organization_memberships
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.endpoints.users import get_current_user, get_user
from tools.toolset.tool import endpoint_of

_EVENT_TYPES: Final = endpoint_of(list_event_types).endpoint
_MEMBERS: Final = endpoint_of(list_organization_memberships).endpoint
_MEETING: Final = endpoint_of(get_scheduled_event).endpoint
_ME: Final = endpoint_of(get_current_user).endpoint

_BY_CONDITION: Final[Mapping[NamedCondition, tuple[Endpoint, str]]] = {
    "event_types": (endpoint_of(get_event_type).endpoint, "event_type"),
    "hosts": (endpoint_of(get_user).endpoint, "user"),
}
"""For each condition, the endpoint that reads one thing of it, and the name of its parameter."""

_AGENT: Final = "pages"
"""The agent under whose name pages take their share of a person's pace."""

_PATIENCE: Final = 5.0
"""How long a page waits for names, in seconds."""

_MOST_PAGES: Final = 5
_LONGEST_NAME: Final = 100
_MOST_MEETINGS: Final = 12
"""How many meetings are looked up for one page."""

T = TypeVar("T")
Ask = Callable[[Endpoint, Mapping[str, str], Mapping[str, str | int | None]], Awaitable[JSON]]


@dataclass(frozen=True, slots=True)
class OwnNames:
    """Asks Calendly over the person's own connection: `auth.endpoints.site.Names`.

    Args:
        calendly: Gives the HTTP core.
        connections: The people's connections.
        clock: Seconds that only grow.
    """

    calendly: Callable[[], Calendly]
    connections: Connections
    clock: Callable[[], float]

    async def event_types(self, person: str) -> Mapping[str, str]:
        """Return the names of a person's event types by uuid; none when they cannot be had now."""
        query: dict[str, str | int | None] = {"user": person, "count": 100, "sort": "name:asc"}
        found = await _or(_all(self._asking(person), _EVENT_TYPES, query), [])
        return dict(filter(None, (_named(EventTypeId, row) for row in found)))

    async def colleagues(self, person: str) -> Mapping[str, str]:
        """Return the names of the members of a person's organization by uuid, as far as the person may list them."""
        ask = self._asking(person)
        me = _members((await _or(ask(_ME, {}, {}), {})).get("resource"))
        organization = me.get("current_organization")
        if not isinstance(organization, str):
            return {}
        found = await _or(_all(ask, _MEMBERS, {"organization": organization, "count": 100}), [])
        return dict(filter(None, (_named(UserId, _members(row).get("user")) for row in found)))

    async def meetings(self, person: str, uuids: Collection[str]) -> Mapping[str, MeetingName]:
        """Return the names and times of a person's meetings by uuid, as far as they can be had now."""
        ask, some = self._asking(person), list(dict.fromkeys(uuids))[:_MOST_MEETINGS]
        found = await side_by_side(partial(_or, ask(_MEETING, {"scheduled_event": uuid}, {}), {}) for uuid in some)
        pairs = zip(some, map(_meeting, found), strict=True)
        return {uuid: meeting for uuid, meeting in pairs if meeting is not None}

    async def missing(self, person: str, kind: NamedCondition, uuids: Collection[str]) -> Collection[str]:
        """Return the uuids that Calendly does not know for this person."""
        ask, some = self._asking(person), list(dict.fromkeys(uuids))[:_MOST_MEETINGS]
        endpoint, parameter = _BY_CONDITION[kind]
        there = await side_by_side(partial(_is_there, ask(endpoint, {parameter: uuid}, {})) for uuid in some)
        return [uuid for uuid, is_there in zip(some, there, strict=True) if not is_there]

    def _asking(self, person: str) -> Ask:
        account = Account(person, _AGENT, self.connections.refresher.credentials(person))
        deadline = self.clock() + _PATIENCE

        async def ask(endpoint: Endpoint, ids: Mapping[str, str], query: Mapping[str, str | int | None]) -> JSON:
            return await self.calendly().send(Request(endpoint, ids, query), account, deadline=deadline)

        return ask


async def _all(ask: Ask, endpoint: Endpoint, query: Mapping[str, str | int | None]) -> list[object]:
    """Return the rows of a list. Raises CalendlyError."""

    async def page(token: str | None) -> JSON:
        answer = await ask(endpoint, {}, {**query, "page_token": token})
        return answer if isinstance(answer.get("collection"), list) else {**answer, "collection": []}

    return (await walk(page, None, _MOST_PAGES))["collection"]


async def _is_there(reading: Awaitable[JSON]) -> bool:
    """Say whether something is there; what cannot be read now may be."""
    try:
        await reading
    except (NotFound, InvalidArgument):
        return False
    except CalendlyError:
        return True
    return True


async def _or(reading: Awaitable[T], otherwise: T) -> T:
    try:
        return await reading
    except CalendlyError:
        return otherwise


def _members(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _named(kind: type[Identifier], row: object) -> tuple[str, str] | None:
    members = _members(row)
    uri = members.get("uri")
    try:
        uuid = kind.parse(uri if isinstance(uri, str) else "").uuid
    except InvalidIdentifier:
        return None
    return uuid, _name(members) or uuid


def _meeting(answer: JSON) -> MeetingName | None:
    meeting = _members(answer.get("resource"))
    try:
        start = datetime.fromisoformat(str(meeting.get("start_time")))
    except ValueError:
        start = None
    return MeetingName(_name(meeting), start if start and start.tzinfo else None) if _name(meeting) else None


def _name(members: Mapping[str, Any]) -> str:
    name = members.get("name")
    return shown(name)[:_LONGEST_NAME] if isinstance(name, str) else ""
