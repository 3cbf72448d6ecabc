"""`calendly-mcp sandbox`."""

from functools import partial
from typing import Final

import anyio

from sandbox.serving import running
from server.commands.declaring import Command, Invocation
from server.configuration.settings import SANDBOX_PORT, Settings
from server.configuration.terminal import cannot_listen, say
from server.transports.signals import on_termination


def run(invocation: Invocation) -> int:
    """Serve until a signal asks to stop."""
    anyio.run(partial(_serve, invocation.settings()))
    return 0


async def _serve(settings: Settings) -> None:
    port = SANDBOX_PORT if settings.port is None else settings.port
    stop = anyio.Event()
    try:
        async with running(settings.host, port) as sandbox:
            with on_termination(stop.set):
                say(f"ready: {sandbox.url}")
                await stop.wait()
    except (OSError, UnicodeError) as fault:
        raise cannot_listen(settings.host, port, fault) from None


COMMAND: Final = Command(run)
