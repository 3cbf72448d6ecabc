"""`calendly-mcp http`."""

from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Final

import anyio
from starlette.applications import Starlette

from server.calls.caller import time_limit
from server.commands.declaring import Command, Invocation
from server.configuration.settings import HTTP_PORT, Settings
from server.local.endpoint import local_endpoint
from server.transports.http import listen, serve_http


def run(invocation: Invocation) -> int:
    """Serve until a signal asks to stop."""
    anyio.run(partial(_serve, invocation.settings()))
    return 0


async def _serve(settings: Settings) -> None:
    with listen(settings.host, HTTP_PORT if settings.port is None else settings.port) as (listener, address):
        async with _application(settings, address) as app:
            await serve_http(app, listener, f"ready: {address}/mcp", time_limit(settings.max_wait))


def _application(settings: Settings, address: str) -> AbstractAsyncContextManager[Starlette]:
    if settings.auth == "none":
        return local_endpoint(settings, address)
    from server.hosted.hosting import document_fetcher, hosting  # noqa: PLC0415 - one person here needs no database

    return hosting(settings, address, document_fetcher)


COMMAND: Final = Command(run)
