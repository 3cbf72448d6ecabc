"""What the methods of MCP Events answer: which kinds there are, subscribing to them, and what is new.

Results are dictionaries: the SDK leaves nulls out of models, and a null cursor means something. What
is read at Calendly or in the feed is read through tools, with their access, audit log and looks.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Protocol

import mcp_types as types
from mcp.shared.exceptions import MCPError

from calendly.identifiers import EventTypeId, InvalidIdentifier, RoutingFormId
from events.facts import moment, written
from events.kinds import KINDS, MEETINGS, EventFamily, EventKind
from events.outgoing.minute_limits import MinuteLimits
from events.outgoing.standing import EventStanding, Refusal
from events.outgoing.subscribing import (
    EventQuery,
    SubscribeRequest,
    UnsubscribeRequest,
    invalid,
    read_list,
    read_poll,
    read_subscribe,
    read_unsubscribe,
)
from events.outgoing.wire import (
    LIST,
    POLL,
    POLLED,
    SUBSCRIBE,
    UNSUBSCRIBE,
    WEBHOOK,
    EventsRefusal,
    Meaning,
    WireProfile,
    forgives_missing,
)
from events.payload import Reader
from server.calls.confirm import Context
from server.calls.handlers import Handlers
from server.calls.principal import Principal
from server.event_methods.access import decide_about, offered, refusal_of
from server.event_methods.answering import answering
from tools.zones import zone_of

if TYPE_CHECKING:
    from events.outgoing.subscriptions import Subscribed

_MOST_POLLS: Final = 60
"""Polls of a grant in a minute."""

_SOON: Final = 15_000
_LATER: Final = 60_000
"""Milliseconds until the next poll, with a webhook that works and without."""

_LONGEST_CURSOR: Final = 100
_EVENT_TYPE: Final = "get_event_type"
_RECEIVED: Final = "list_received_events"
_MAY_NOT_LOOK: Final = frozenset({"access_denied_by_policy", "insufficient_scope", "permission_denied"})
_NOT_THERE: Final = frozenset({"not_found", "invalid_argument"})
_REASONS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {"access_denied_by_policy": "access", "insufficient_scope": "scope", "unauthenticated": "connection"}
)
_WHY: Final[Mapping[Refusal, str]] = MappingProxyType(
    {
        "access": "The person's choice, or the operator's, keeps these events from this agent; the person can look "
        "at /connections.",
        "scope": "The agent's sign-in does not cover these events: sign in again with the scope of the kind.",
        "connection": "Calendly did not grant this server what these events take: the person has to connect again.",
        "callback": "The operator of this server does not allow callbacks.",
    }
)


class Subscribing(Protocol):
    """Makes and ends subscriptions: `events.outgoing.subscriptions.Subscriptions`."""

    async def subscribe(
        self, request: SubscribeRequest, standing: EventStanding, narrowed_to: str | None
    ) -> "Subscribed":
        """Make or refresh a subscription. Raises EventsRefusal, NotNoted and StorageUnavailable."""
        ...

    async def unsubscribe(self, request: UnsubscribeRequest, standing: EventStanding) -> bool:
        """End a subscription. Returns whether there was one. Raises NotNoted and StorageUnavailable."""
        ...


def poll_limits(now: Callable[[], datetime]) -> MinuteLimits:
    """Make the limits of polls."""
    return MinuteLimits("polls", "An agent may poll {most} times a minute: wait as long as nextPollMs said.", now)


async def _meetings_alone(_person: str) -> frozenset[str]:
    """Return the families that are on where no webhook can arrive."""
    return frozenset({MEETINGS.name})


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsAnswers:
    """Answers the methods: `server.event_methods.capability.EventsMethods`.

    Attributes:
        handlers: Call tools.
        profile: Whose error codes there are.
        polls: How many polls there may be.
        subscribing: Makes subscriptions; None where events cannot be posted.
        families: Returns the families of kinds that are on for a person. Raises StorageUnavailable.
    """

    handlers: Handlers
    profile: WireProfile
    polls: MinuteLimits
    subscribing: Subscribing | None = None
    families: Callable[[str], Awaitable[frozenset[str]]] = _meetings_alone

    async def answer(self, context: Context) -> dict[str, Any]:
        """Answer a request. Raises MCPError."""
        answers = {LIST: self._list, SUBSCRIBE: self._subscribe, UNSUBSCRIBE: self._unsubscribe, POLL: self._poll}
        with answering(self.profile, context.method):
            return await answers[context.method](context, self._principal(context), context.params or {})

    def _principal(self, context: Context) -> Principal:
        return self.handlers.callers.principals.of(context)

    async def _list(self, _context: Context, principal: Principal, params: Mapping[str, Any]) -> dict[str, Any]:
        read_list(params)
        families = await self.families(principal.account.user)
        delivery = [POLLED] if self.subscribing is None else [WEBHOOK, POLLED]
        return {"events": [_described(kind, delivery) for kind in offered(principal, families)]}

    async def _subscribe(self, context: Context, principal: Principal, params: Mapping[str, Any]) -> dict[str, Any]:
        request = read_subscribe(params)
        family = await self._family(principal, request.query.name)
        if self.subscribing is None or request.mode != WEBHOOK:
            told = "Events are not delivered that way here: events/list names the ways."
            data = {"feature": "deliveryMode", "value": request.mode[:_LONGEST_CURSOR]}
            raise EventsRefusal(Meaning.UNSUPPORTED, told, data)
        narrowed_to = await self._checked(context, principal, request.query, family)
        standing = standing_of(principal, request.query.name)
        subscribed = await self.subscribing.subscribe(request, standing, narrowed_to)
        return _told(subscribed)

    async def _unsubscribe(self, _context: Context, principal: Principal, params: Mapping[str, Any]) -> dict[str, Any]:
        request = read_unsubscribe(params)
        standing = standing_of(principal, request.name)
        had_one = self.subscribing is not None and await self.subscribing.unsubscribe(request, standing)
        if not had_one and not forgives_missing(self.profile):
            raise EventsRefusal(Meaning.NOT_FOUND, "There is no such subscription.", {"kind": "subscription"})
        return {}

    async def _poll(self, context: Context, principal: Principal, params: Mapping[str, Any]) -> dict[str, Any]:
        request = read_poll(params)
        query = request.query
        family = await self._family(principal, query.name)
        narrowed_to = await self._checked(context, principal, query, family)
        self.polls.take({principal.account.agent: _MOST_POLLS})
        found = await self._read(
            context,
            {
                "kinds": [query.name],
                "detail": "full",
                "count": 1 if query.cursor is None else request.most,
                **({} if query.cursor is None else {"cursor": query.cursor[:_LONGEST_CURSOR]}),
                **({} if narrowed_to is None else {"event_type": narrowed_to}),
            },
        )
        rows: list[Mapping[str, Any]] = [] if query.cursor is None else found["collection"]
        return {
            "events": [_event(row) for row in rows if not _is_too_old(row, query.max_age, self.polls.now())],
            "cursor": found["cursor"],
            "truncated": found["truncated"],
            "hasMore": found["has_more"] and query.cursor is not None,
            "nextPollMs": _SOON if found["source"] == WEBHOOK else _LATER,
        }

    async def _family(self, principal: Principal, name: str) -> EventFamily:
        """Return the family of a kind that is on. Raises EventsRefusal, NotFound."""
        family = KINDS[name].family if name in KINDS else None
        if family is None or family.name not in await self.families(principal.account.user):
            told = "There is no such kind of events here: events/list names them."
            raise EventsRefusal(Meaning.NOT_FOUND, told, {"kind": "event"})
        return family

    async def _checked(
        self, context: Context, principal: Principal, query: EventQuery, family: EventFamily
    ) -> str | None:
        """Check arguments and access, and return the uuid to which the arguments narrow. Raises EventsRefusal."""
        narrowing = family.narrowed_by
        for name, value in query.arguments.items():
            if name != narrowing:
                raise invalid(f"arguments.{name[:40]}", f"Pass {narrowing or 'none'}")
            if not isinstance(value, str) or not value.strip():
                raise invalid(f"arguments.{name}", "Pass a string")
        refusal = refusal_of(decide_about(family, principal.limits))
        if refusal is not None:
            raise EventsRefusal(Meaning.FORBIDDEN, _WHY[refusal], {"reason": refusal})
        text = query.arguments.get(narrowing or "")
        if text is None:
            return None
        return await self._event_type(context, text) if narrowing == "event_type" else _routing_form(text)

    async def _event_type(self, context: Context, text: str) -> str:
        """Return the uuid of an event type that is there. Raises EventsRefusal and MCPError."""
        found = await self.handlers.read(_EVENT_TYPE, context, {"event_type": text})
        error = found.get("error")
        if error is None:
            return str(found["uri"]).rpartition("/")[2]
        if error["kind"] in _MAY_NOT_LOOK:  # then an id is taken as it is, since nothing can be said of it
            with suppress(InvalidIdentifier):
                return EventTypeId.parse(text).uuid
        if error["kind"] in {*_MAY_NOT_LOOK, *_NOT_THERE}:
            raise invalid("arguments.event_type", "Pass the uuid, URI or exact name of an event type that is there")
        raise _failure(error)

    async def _read(self, context: Context, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """Read the feed. Raises EventsRefusal and MCPError."""
        found = await self.handlers.read(_RECEIVED, context, arguments)
        if "error" in found:
            raise _failure(found["error"])
        return found


def standing_of(principal: Principal, kind: str) -> EventStanding:
    """Return what the agent of a request may see of a kind of events."""
    family = KINDS[kind].family if kind in KINDS else None
    zone = principal.identity.timezone if principal.identity else None
    return EventStanding(
        grant=principal.account.agent,
        person=principal.account.user,
        agent=principal.agent.name,
        reader=Reader(zone=zone_of(zone), sees_invitees=principal.invitees_hidden_by is None),
        refusal=refusal_of(decide_about(family, principal.limits)) if family else "access",
    )


def _failure(error: Mapping[str, Any]) -> Exception:
    """Return why a tool could not read, as the methods tell it."""
    reason = _REASONS.get(error["kind"])
    if reason is not None:
        return EventsRefusal(Meaning.FORBIDDEN, _WHY[reason], {"reason": reason})
    return MCPError(types.INTERNAL_ERROR, " ".join(filter(None, (error["message"], error.get("next_step")))))


def _described(kind: EventKind, delivery: list[str]) -> dict[str, Any]:
    return {
        "name": kind.name,
        "description": kind.words,
        "delivery": delivery,
        "inputSchema": kind.arguments_schema,
        "payloadSchema": kind.payload_schema,
    }


def _told(subscribed: "Subscribed") -> dict[str, Any]:
    status = subscribed.status
    told = {
        "id": subscribed.id,
        "refreshBefore": _time(subscribed.until),
        "cursor": subscribed.cursor,
        "truncated": subscribed.is_truncated,
    }
    if status is None:
        return told
    how = {
        "active": status.is_active,
        "lastDeliveryAt": _time(status.last_at),
        "lastError": status.last_error,
        "failedSince": _time(status.failed_since),
    }
    return {**told, "deliveryStatus": how}


def _time(time: datetime | None) -> str | None:
    return None if time is None else written(time)


def _event(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "eventId": row["event_id"],
        "name": row["kind"],
        "timestamp": row["occurred_at"],
        "data": row["data"],
    }


def _is_too_old(row: Mapping[str, Any], most: timedelta | None, now: datetime) -> bool:
    occurred_at = moment(row["occurred_at"])
    return most is not None and occurred_at is not None and occurred_at < now - most


def _routing_form(text: str) -> str:
    try:
        return RoutingFormId.parse(text).uuid
    except InvalidIdentifier:
        raise invalid("arguments.routing_form", "Pass the uuid or URI of a routing form") from None
