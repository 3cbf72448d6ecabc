"""`calendly-mcp http`: MCP over Streamable HTTP."""

from functools import partial
from typing import Final

import anyio

from server.app import serving
from server.caller import time_limit
from server.cli import Arguments
from server.http import http_app, listen, serve_http
from server.logs import log_to_stderr
from server.settings import Settings, load

PORT: Final = 8000


def run(arguments: Arguments) -> int:
    """Serve until a signal asks to stop. Returns the exit status."""
    settings = load("http", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    anyio.run(partial(_serve, settings))
    return 0


async def _serve(settings: Settings) -> None:
    port = PORT if settings.port is None else settings.port
    async with serving(settings) as server:
        with listen(settings.host, port) as (listener, address):
            app = http_app(server, address)
            await serve_http(app, listener, f"ready: {address}/mcp", time_limit(settings.max_wait))
