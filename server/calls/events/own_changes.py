"""Notes what an agent books and cancels, so that the events that tell of it are known as its own.

Whatever fails here stops no call: the event then says that somebody did it, as any other does.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, Protocol

from calendly.errors import CalendlyError, CalendlyRefusal
from calendly.identifiers import ScheduledEventId
from calendly.request import JSON, Request
from events.facts import canonical, part
from server.calls.principal import Principal
from server.stores.events import EventStore
from server.stores.faults import best_effort
from storage.errors import StorageError
from tools.toolset.errors import ToolError
from tools.toolset.identity import Identity

_FAILED: Final = "what an agent does itself could not be noted"

Answered = Callable[[JSON], Awaitable[None]]
"""Told what Calendly answered."""


class ActingCaller(Protocol):
    """Who changes something: `server.calls.caller.ToolCaller`."""

    @property
    def principal(self) -> Principal:
        """The person and the agent."""
        ...

    @property
    def known_identity(self) -> Identity | None:
        """Who the person is, None where Calendly has to be asked."""
        ...

    async def identity(self) -> Identity:
        """Who the person is. Raises CalendlyError and ToolError."""
        ...


@asynccontextmanager
async def noted(events: EventStore, caller: ActingCaller, request: Request) -> AsyncGenerator[Answered]:
    """Note a booking or a cancellation before it is sent, and what became of it.

    Args:
        events: Where it is noted.
        caller: By whom and for whom.
        request: What is sent.
    """
    change: str | None = None
    agent, person = caller.principal.account.agent, await _person(events, caller)
    async with best_effort(_FAILED):
        if person is None:
            pass
        elif request.is_booking:
            change = await events.own_changes.booking(person, agent, request.body or {})
        else:
            meeting = ScheduledEventId(request.ids["scheduled_event"]).uri
            change = await events.own_changes.canceling(person, agent, meeting)

    async def answered(answer: JSON) -> None:
        invitee = canonical(part(answer, "resource").get("uri"))
        if person is not None and change is not None and request.is_booking and invitee is not None:
            async with best_effort(_FAILED):
                await events.own_changes.booked(person, change, invitee)

    try:
        yield answered
    except CalendlyRefusal:
        if change is not None:
            async with best_effort(_FAILED):
                await events.own_changes.withdraw(change)
        raise


async def _person(events: EventStore, caller: ActingCaller) -> str | None:
    """Return the user URI of the person, None where nobody has events yet."""
    try:
        known = caller.known_identity
        if known is None and await events.feeds.is_empty():
            return None
        return (known or await caller.identity()).user.uri
    except (CalendlyError, ToolError, StorageError):
        return None
