"""What the methods of MCP Events answer: which kinds there are, subscribing to them, and what is new.

Results are dictionaries: the SDK leaves nulls out of models, and a null cursor means something. What
is read at Calendly or in the feed is read through tools, with their access, audit log and looks.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from events.facts import in_seconds, moment
from events.kinds import KINDS, EventKind
from events.outgoing.minute_limits import MinuteLimits
from events.outgoing.standing import EventStanding
from events.outgoing.subscribing import (
    SubscribeRequest,
    UnsubscribeRequest,
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
from server.calls.events.empty_polls import count_empty_poll
from server.calls.handlers import InnerRead
from server.calls.principal import Principal
from server.event_methods.access import decide_about, offered, refusal_of
from server.event_methods.answering import answering
from server.event_methods.checks import EventChecks, failure
from tools.zones import zone_of

if TYPE_CHECKING:
    from events.outgoing.subscriptions import Subscribed

_MOST_POLLS: Final = 60
"""Polls of a grant in a minute."""

_SOON: Final = 15_000
_LATER: Final = 60_000
"""Milliseconds until the next poll, with a webhook that works and without."""

_LONGEST_CURSOR: Final = 100
_RECEIVED: Final = "list_received_events"


class Subscribing(Protocol):
    """Makes and ends subscriptions: `events.outgoing.subscriptions.Subscriptions`."""

    async def subscribe(
        self,
        request: SubscribeRequest,
        standing: EventStanding,
        narrowed_to: str | None,
        look: Callable[[], Awaitable[None]],
    ) -> "Subscribed":
        """Make or refresh a subscription. Raises EventsRefusal, NotNoted and StorageUnavailable, and what `look` does.

        Args:
            request: What is asked for.
            standing: Who asks.
            narrowed_to: The uuid to which its arguments narrow.
            look: Looks at Calendly, where nobody wanted to be told of the person's events before.
        """
        ...

    async def unsubscribe(self, request: UnsubscribeRequest, standing: EventStanding) -> bool:
        """End a subscription. Returns whether there was one. Raises NotNoted and StorageUnavailable."""
        ...


def poll_limits(now: Callable[[], datetime]) -> MinuteLimits:
    """Make the limits of polls."""
    return MinuteLimits("polls", "An agent may poll {most} times a minute: wait as long as nextPollMs said.", now)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventsAnswers:
    """Answers the methods: `server.event_methods.capability.EventsMethods`.

    Attributes:
        checks: Check what is asked for, and call tools.
        profile: Whose error codes there are.
        polls: How many polls there may be.
        subscribing: Makes and ends subscriptions; None where there are none.
        is_posting: Events are posted; where the operator has switched that off, what there was can still be ended.
    """

    checks: EventChecks
    profile: WireProfile
    polls: MinuteLimits
    subscribing: Subscribing | None = None
    is_posting: bool = False

    async def answer(self, context: Context) -> dict[str, Any]:
        """Answer a request. Raises MCPError."""
        answers = {LIST: self._list, SUBSCRIBE: self._subscribe, UNSUBSCRIBE: self._unsubscribe, POLL: self._poll}
        with answering(self.profile, context.method):
            return await answers[context.method](context, self._principal(context), context.params or {})

    def _principal(self, context: Context) -> Principal:
        return self.checks.handlers.callers.principals.of(context)

    async def _list(self, _context: Context, principal: Principal, params: Mapping[str, Any]) -> dict[str, Any]:
        read_list(params)
        families = await self.checks.families(principal.account.user)
        delivery = [WEBHOOK, POLLED] if self.is_posting else [POLLED]
        return {"events": [_described(kind, delivery) for kind in offered(principal, families)]}

    async def _subscribe(self, context: Context, principal: Principal, params: Mapping[str, Any]) -> dict[str, Any]:
        request = read_subscribe(params)
        family = await self.checks.family(principal, request.query.name)
        if self.subscribing is None or not self.is_posting or request.mode != WEBHOOK:
            told = "Events are not delivered that way here: events/list names the ways."
            data = {"feature": "deliveryMode", "value": request.mode[:_LONGEST_CURSOR]}
            raise EventsRefusal(Meaning.UNSUPPORTED, told, data)
        narrowed_to = await self.checks.narrowed(context, principal, request.query, family)
        standing = standing_of(principal, request.query.name)

        async def look() -> None:
            inner = InnerRead(decided=decide_about(family, principal.limits), is_noted=lambda found: "error" in found)
            await self._read(context, {"kinds": [request.query.name], "count": 1}, inner)

        subscribed = await self.subscribing.subscribe(request, standing, narrowed_to, look)
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
        family = await self.checks.family(principal, query.name)
        narrowed_to = await self.checks.narrowed(context, principal, query, family, is_silent=True)
        self.polls.take({principal.account.agent: _MOST_POLLS})

        def events_in(found: Mapping[str, Any]) -> list[dict[str, Any]]:
            rows: list[Mapping[str, Any]] = [] if query.cursor is None else found["collection"]
            return [_event(row) for row in rows if not _is_too_old(row, query.max_age, self.polls.now())]

        arguments = {
            "kinds": [query.name],
            "detail": "full",
            "count": 1 if query.cursor is None else request.most,
            **({} if query.cursor is None else {"cursor": query.cursor[:_LONGEST_CURSOR]}),
            **({} if narrowed_to is None else {"event_type": narrowed_to}),
        }
        decided = decide_about(family, principal.limits)
        inner = InnerRead(decided=decided, is_noted=lambda found: "error" in found or bool(events_in(found)))
        found = await self._read(context, arguments, inner)
        events = events_in(found)
        if not events:
            await count_empty_poll(self.checks.handlers.callers, principal)
        return {
            "events": events,
            "cursor": found["cursor"],
            "truncated": found["truncated"],
            "hasMore": found["has_more"] and query.cursor is not None,
            "nextPollMs": _SOON if found["source"] == WEBHOOK else _LATER,
        }

    async def _read(self, context: Context, arguments: Mapping[str, Any], inner: InnerRead) -> Mapping[str, Any]:
        """Read the feed, after a look where that is due. Raises EventsRefusal and MCPError."""
        found = await self.checks.handlers.read(_RECEIVED, context, arguments, inner)
        if "error" in found:
            raise failure(found["error"])
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
    return None if time is None else in_seconds(time)


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
