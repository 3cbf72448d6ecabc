"""`calendly-mcp http`: MCP over Streamable HTTP."""

import socket
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import anyio
from starlette.applications import Starlette

from server.calls.caller import time_limit
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.local.endpoint import local_app
from server.local.serving import serving
from server.transports.http import listen, serve_http

PORT: Final = 8000


def run(arguments: CommandLine) -> int:
    """Serve until a signal asks to stop. Returns the exit status."""
    settings = load("http", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    anyio.run(partial(_serve_one if settings.auth == "none" else _serve_many, settings))
    return 0


async def _serve_one(settings: Settings) -> None:
    """Serve one person. Nothing listens before their token is found."""
    async with serving(settings) as server:
        with _listening(settings) as (listener, address):
            server.audit_log.open_soon()
            await _answer(local_app(server.mcp, address, sandbox=settings.sandbox), listener, address, settings)


async def _serve_many(settings: Settings) -> None:
    """Serve everybody who signs in. Nothing listens before the tools are selected."""
    from server.hosted.hosting import (  # noqa: PLC0415 - one person here needs no database
        document_fetcher,
        hosted_selection,
        hosting,
    )

    selection = hosted_selection(settings)
    with _listening(settings) as (listener, address):
        async with hosting(settings, selection, address, document_fetcher) as app:
            await _answer(app, listener, address, settings)


def _listening(settings: Settings) -> AbstractContextManager[tuple[socket.socket, str]]:
    return listen(settings.host, PORT if settings.port is None else settings.port)


async def _answer(app: Starlette, listener: socket.socket, address: str, settings: Settings) -> None:
    await serve_http(app, listener, f"ready: {address}/mcp", time_limit(settings.max_wait))
