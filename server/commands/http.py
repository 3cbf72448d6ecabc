"""`calendly-mcp http`."""

import socket
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import anyio
from starlette.applications import Starlette

from server.calls.caller import time_limit
from server.commands.declaring import Command, Invocation
from server.configuration.settings import HTTP_PORT, Settings
from server.local.endpoint import local_app
from server.local.serving import serving
from server.transports.connections import ConnectionLimits
from server.transports.http import serve_http
from server.transports.listening import listen


def run(invocation: Invocation) -> int:
    """Serve until a signal asks to stop."""
    settings = invocation.settings()
    anyio.run(partial(_serve_one if settings.auth == "none" else _serve_many, settings))
    return 0


async def _serve_one(settings: Settings) -> None:
    """Serve one person. The token is found before anything listens."""
    async with serving(settings) as server:
        with _listening(settings) as (listener, address):
            server.audit_log.open_soon()
            await _answer(local_app(server.mcp, address, settings), listener, address, settings)


async def _serve_many(settings: Settings) -> None:
    """Serve everybody who signs in. The tools are selected before anything listens."""
    # One person here needs no database.
    from server.hosted.hosting import Outside, hosted_selection, hosting  # noqa: PLC0415 - as above

    selection = hosted_selection(settings)
    with _listening(settings) as (listener, address):
        async with hosting(settings, selection, address, Outside()) as app:
            await _answer(app, listener, address, settings)


def _listening(settings: Settings) -> AbstractContextManager[tuple[socket.socket, str]]:
    return listen(settings.host, HTTP_PORT if settings.port is None else settings.port)


async def _answer(app: Starlette, listener: socket.socket, address: str, settings: Settings) -> None:
    limits = ConnectionLimits(trusted=settings.trusted_proxies)
    await serve_http(app, listener, f"ready: {address}/mcp", time_limit(settings.max_wait), limits)


COMMAND: Final = Command(run)
