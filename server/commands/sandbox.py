"""`calendly-mcp sandbox`: the sandbox alone."""

from functools import partial
from typing import Final

import anyio

from sandbox.serving import running
from server.configuration.command_line import CommandLine
from server.configuration.settings import Settings, load
from server.configuration.terminal import cannot_listen, say
from server.transports.signals import on_termination

PORT: Final = 9000


def run(arguments: CommandLine) -> int:
    """Serve until a signal asks to stop. Returns the exit status."""
    anyio.run(partial(_serve, load("sandbox", arguments.flags, config=arguments.config)))
    return 0


async def _serve(settings: Settings) -> None:
    port = PORT if settings.port is None else settings.port
    stop = anyio.Event()
    try:
        async with running(settings.host, port) as sandbox:
            with on_termination(stop.set):
                say(f"ready: {sandbox.url}")
                await stop.wait()
    except OSError as fault:
        raise cannot_listen(settings.host, port, fault) from None
