"""Checks of what a request of MCP Events is about: the kind, its arguments, and whether the agent may have it."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from calendly.identifiers import EventTypeId, InvalidIdentifier, RoutingFormId
from events.kinds import KINDS, MEETINGS, EventFamily
from events.outgoing.standing import EventAction, Refusal
from events.outgoing.subscribing import EventQuery, invalid
from events.outgoing.wire import POLL, EventsRefusal, Meaning
from server.calls.confirm import Context
from server.calls.events.notes import entry, notes_of
from server.calls.handlers import Handlers, InnerRead
from server.calls.principal import Principal
from server.event_methods.access import decide_about, refusal_of
from storage.errors import StorageUnavailable

_EVENT_TYPE: Final = "get_event_type"
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


async def _meetings_alone(_person: str) -> frozenset[str]:
    """Return the families that are on where no webhook can arrive."""
    return frozenset({MEETINGS.name})


@dataclass(frozen=True, kw_only=True, slots=True)
class EventChecks:
    """Checks requests.

    Attributes:
        handlers: Call tools.
        families: Returns the families of kinds that are on for a person. Raises StorageUnavailable.
    """

    handlers: Handlers
    families: Callable[[str], Awaitable[frozenset[str]]] = _meetings_alone

    async def step_up(self, principal: Principal, method: str, name: str) -> tuple[str, ...]:
        """Return the scopes for which a client sends its person to a new consent before it asks for a kind of events.

        None where the request goes on: to be carried out, or to be refused for what no consent changes. One that is
        turned away here is noted.
        """
        family = KINDS[name].family if name in KINDS else None
        if family is None or not principal.steps_up:
            return ()
        decision = decide_about(family, principal.limits)
        if decision.verdict != "deny" or decision.source != "token":
            return ()
        with suppress(StorageUnavailable):  # then the request itself is answered with that
            if family is MEETINGS or family.name in await self.families(principal.account.user):
                self._note_refusal(method, principal, name)
                return (family.scope,)
        return ()

    def _note_refusal(self, method: str, principal: Principal, name: str) -> None:
        """Note that an agent may not have a kind of events."""
        action: EventAction = "poll_events" if method == POLL else "subscribe_events"
        told = f"{{agent}} tried to {'poll' if method == POLL else 'subscribe to'} events {name!r} about {{person}}"
        noted = notes_of(self.handlers.callers.audit_log, principal)
        noted.jot(entry(action, told, principal, is_refused=True))

    async def family(self, principal: Principal, name: str) -> EventFamily:
        """Return the family of a kind that is on. Raises EventsRefusal, NotFound."""
        family = KINDS[name].family if name in KINDS else None
        if family is None or family.name not in await self.families(principal.account.user):
            told = "There is no such kind of events here: events/list names them."
            raise EventsRefusal(Meaning.NOT_FOUND, told, {"kind": "event"})
        return family

    async def narrowed(
        self, context: Context, principal: Principal, query: EventQuery, family: EventFamily, *, is_silent: bool = False
    ) -> str | None:
        """Check arguments and access, and return the uuid to which the arguments narrow. Raises EventsRefusal.

        Args:
            context: The request.
            principal: Who asks.
            query: What for.
            family: Of the kind.
            is_silent: That an event type was looked up has no entry of its own.
        """
        narrowing = family.narrowed_by
        for name, value in query.arguments.items():
            if name != narrowing:
                raise invalid(f"arguments.{name[:40]}", f"Pass {narrowing or 'none'}")
            if not isinstance(value, str) or not value.strip():
                raise invalid(f"arguments.{name}", "Pass a string")
        refusal = refusal_of(decide_about(family, principal.limits))
        if refusal is not None:
            self._note_refusal(context.method, principal, query.name)
            raise EventsRefusal(Meaning.FORBIDDEN, _WHY[refusal], {"reason": refusal})
        text = query.arguments.get(narrowing or "")
        if text is None:
            return None
        inner = InnerRead(is_noted=lambda _: not is_silent)
        return await self._event_type(context, text, inner) if narrowing == "event_type" else _routing_form(text)

    async def _event_type(self, context: Context, text: str, inner: InnerRead) -> str:
        """Return the uuid of an event type that is there. Raises EventsRefusal and MCPError."""
        found = await self.handlers.read(_EVENT_TYPE, context, {"event_type": text}, inner)
        error = found.get("error")
        if error is None:
            return str(found["uri"]).rpartition("/")[2]
        if error["kind"] in _MAY_NOT_LOOK:  # then an id is taken as it is, since nothing can be said of it
            with suppress(InvalidIdentifier):
                return EventTypeId.parse(text).uuid
        if error["kind"] in {*_MAY_NOT_LOOK, *_NOT_THERE}:
            raise invalid("arguments.event_type", "Pass the uuid, URI or exact name of an event type that is there")
        raise failure(error)


def failure(error: Mapping[str, Any]) -> Exception:
    """Return why a tool could not read, as the methods tell it."""
    reason = _REASONS.get(error["kind"])
    if reason is not None:
        return EventsRefusal(Meaning.FORBIDDEN, _WHY[reason], {"reason": reason})
    return MCPError(types.INTERNAL_ERROR, " ".join(filter(None, (error["message"], error.get("next_step")))))


def _routing_form(text: str) -> str:
    try:
        return RoutingFormId.parse(text).uuid
    except InvalidIdentifier:
        raise invalid("arguments.routing_form", "Pass the uuid or URI of a routing form") from None
