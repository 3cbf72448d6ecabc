"""`calendly-mcp stdio`."""

from functools import partial
from typing import Final

import anyio

from server.commands.declaring import Command, Invocation
from server.configuration.settings import Settings
from server.local.serving import serving
from server.transports.stdio import serve_stdio


def run(invocation: Invocation) -> int:
    """Serve one client until its input ends."""
    anyio.run(partial(_serve, invocation.settings()))
    return 0


async def _serve(settings: Settings) -> None:
    async with serving(settings) as server:
        await serve_stdio(server.mcp, after_list=server.audit_log.open_soon)


COMMAND: Final = Command(run)
