"""The composition root of a server for one person, to be read from top to bottom."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from mcp.server.lowlevel import Server

from auth.audit.log import AuditLog
from calendly.ranges import Cap
from server.app import calendly_for, mcp_server, origins, rules, with_sandbox
from server.calls.caller import Callers
from server.calls.handlers import Handlers
from server.calls.principal import OnePerson
from server.calls.selection import select
from server.configuration.settings import Settings
from server.local.audit_log import local_audit_log
from server.local.idempotency import local_ledger
from server.local.late_store import LateStore
from server.local.principals import local_party
from server.stores.daily_limits import OwnDailyLimits
from server.stores.seal import Seal
from tools import ALL

_KEY_BYTES: Final = 32

Recording = Callable[[LateStore], AbstractAsyncContextManager[AuditLog]]
"""Makes the audit log of a server that has this database."""


class LocalServer(NamedTuple):
    """What serves one person."""

    mcp: Server[Any]
    audit_log: AuditLog


@asynccontextmanager
async def serving(settings: Settings, recording: Recording = local_audit_log) -> AsyncGenerator[LocalServer]:
    """Make the MCP server of a process that acts for one person, with the embedded sandbox where it is asked for.

    Args:
        settings: The person's.
        recording: Makes the audit log.

    Raises:
        UsageError: There is no token, or a setting names what does not exist.
        CommandError: The sandbox cannot listen, or a stored sign-in cannot be read.
    """
    selection = select(ALL, rules(settings, settings.local_ceiling))
    async with AsyncExitStack() as stack:
        settings = await with_sandbox(settings, stack)
        party = await local_party(settings, stack)
        clock = asyncio.get_running_loop().time
        # Closed after the audit log, which writes to the last.
        store = LateStore(settings, await stack.enter_async_context(AsyncExitStack()))
        audit_log = await stack.enter_async_context(recording(store))
        callers = Callers(
            calendly=calendly_for(settings, stack),
            parties=OnePerson(party, settings.agent_name),
            audit_log=audit_log,
            max_wait=settings.max_wait,
            available_times_cap=Cap(settings.available_times_days),
            ledger=local_ledger(store, clock),
            daily_limits=OwnDailyLimits(lambda: datetime.now(UTC)),
            seal=Seal(os.urandom(_KEY_BYTES), clock, os.urandom),
            clock=clock,
            sleep=asyncio.sleep,
        )
        yield LocalServer(mcp_server(Handlers(ALL, selection, callers, origins(settings)), selection), audit_log)
