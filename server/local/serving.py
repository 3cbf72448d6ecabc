"""The composition root of a server for one person, to be read from top to bottom."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from mcp.server.lowlevel import Server

from auth.audit.log import AuditLog
from server.app import calendly_for, clock_watch, has_events, mcp_server, origins, rules, with_sandbox
from server.calls.caller import Callers
from server.calls.handlers import Handlers
from server.calls.principal import OnePerson
from server.calls.selection import select
from server.configuration.settings import Settings
from server.event_methods.capability import EventsMethods
from server.local.audit_log import local_audit_log
from server.local.late_store import LateStore
from server.local.principals import local_person
from tools import ALL

if TYPE_CHECKING:
    from server.stores.stores import Stores

Recording = Callable[[LateStore], AbstractAsyncContextManager[AuditLog]]
"""Makes the audit log of a server that has this database."""


class LocalServer(NamedTuple):
    """What serves one person."""

    mcp: Server[Any]
    audit_log: AuditLog
    stores: "Callable[[], Awaitable[Stores]]"


@asynccontextmanager
async def serving(
    settings: Settings,
    recording: Recording = local_audit_log,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> AsyncGenerator[LocalServer]:
    """Make the MCP server of a process that acts for one person, with the embedded sandbox where it is asked for.

    Args:
        settings: The person's.
        recording: Makes the audit log.
        now: The wall clock.

    Raises:
        UsageError: There is no token, or a setting names what does not exist.
        CommandError: The sandbox cannot listen, or a stored sign-in cannot be read.
    """
    selection = select(ALL, rules(settings, settings.local_ceiling))
    async with AsyncExitStack() as stack:
        settings = await with_sandbox(settings, stack)
        person = await local_person(settings, stack)
        # Closed after the audit log, which writes to the last.
        store = LateStore(settings, await stack.enter_async_context(AsyncExitStack()), now)
        audit_log = await stack.enter_async_context(recording(store))
        watch = clock_watch()
        callers = Callers(
            calendly=calendly_for(settings, stack, watch=watch),
            principals=OnePerson(person, settings.agent_name),
            audit_log=audit_log,
            max_wait=settings.max_wait,
            available_times_days=settings.available_times_days,
            stores=store.stores,
            events=store.events,
            clock=asyncio.get_running_loop().time,
            sleep=asyncio.sleep,
            clock_watch=watch,
        )
        handlers = Handlers(ALL, selection, callers, origins(settings), output_schemas=settings.output_schemas == "on")
        events = cache(partial(_events, settings, handlers, now)) if has_events(settings.local_ceiling) else None
        yield LocalServer(mcp_server(handlers, selection, events), audit_log, store.stores)


def _events(settings: Settings, handlers: Handlers, now: Callable[[], datetime]) -> EventsMethods:
    """Load what answers MCP Events, where nothing is posted: a client asks what is new."""
    from server.event_methods.checks import EventChecks  # noqa: PLC0415 - the same
    from server.event_methods.methods import EventsAnswers, poll_limits  # noqa: PLC0415 - after the first list

    return EventsAnswers(checks=EventChecks(handlers=handlers), profile=settings.events_profile, polls=poll_limits(now))
