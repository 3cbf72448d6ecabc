"""`calendly-mcp stdio`."""

import os
from functools import partial
from typing import Final

import anyio

from server.commands.declaring import Command, Invocation
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.terminal import say
from server.local.serving import serving
from server.transports.stdio import STDIN, serve_stdio

_WAITING: Final = (
    "calendly-mcp waits for an MCP client, which starts it and speaks to it over stdin; Ctrl-C or the end of input "
    "stops it. `calendly-mcp install CLIENT` sets a client up, and `calendly-mcp demo` shows one at work."
)


def run(invocation: Invocation) -> int:
    """Serve one client until its input ends."""
    anyio.run(partial(_serve, invocation.settings()))
    return 0


async def _serve(settings: Settings) -> None:
    async with serving(settings) as server:
        if os.isatty(STDIN):
            say(as_typed(_WAITING))
        await serve_stdio(server.mcp, after_list=server.audit_log.open_soon)


COMMAND: Final = Command(run)
