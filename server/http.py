"""Streamable HTTP: the one endpoint, what stands before it, and the pages beside it.

Stateless, so that any replica answers any request; all revisions of MCP on the same address.
"""

import json
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from http import HTTPStatus
from math import ceil
from typing import Any, Final
from urllib.parse import urlsplit

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from server.front_page import front_page
from server.settings import is_loopback
from server.signals import on_termination
from server.terminal import CommandError, say

LARGEST_BODY: Final = 1024 * 1024
"""Bytes of a request on the MCP endpoint."""

_ANY_HOST: Final = frozenset({"/healthz", "/readyz"})
"""What an orchestrator asks by an address of its own choice."""


def http_app(server: Server[Any], address: str) -> Starlette:
    """The ASGI application.

    Args:
        server: What answers MCP.
        address: Where it can be reached, without a path.
    """
    manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=LARGEST_BODY)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with manager.run():
            yield

    async def page(_request: Request) -> Response:
        return HTMLResponse(front_page(address), headers=_PAGE_HEADERS)

    async def well(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[
            Route(
                "/mcp", RequestBodyLimitMiddleware(_without_batches(manager.asgi_app), LARGEST_BODY), methods=["POST"]
            ),
            Route("/healthz", well),
            Route("/readyz", well),
            Route("/", page),
        ],
        middleware=[Middleware(Guard)],
        lifespan=lifespan,
    )


# No scripts, nothing from elsewhere, no framing.
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Stands before every route: turns away what a foreign page made a browser send (DNS rebinding)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # White space around a value is not part of it (RFC 9110, 5.5), but uvicorn's httptools leaves it there.
        scope = {**scope, "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]]}
        refusal = None if scope["path"] in _ANY_HOST else _refusal(Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send)


def _refusal(headers: Headers) -> Response | None:
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not _is_here(f"//{hosts[0]}"):
        return PlainTextResponse(
            "This server answers to localhost and 127.0.0.1 only; the Host header names another machine.\n",
            HTTPStatus.MISDIRECTED_REQUEST,
        )
    if not all(origin.startswith(("http://", "https://")) and _is_here(origin) for origin in headers.getlist("origin")):
        return PlainTextResponse(
            "Pages of other origins may not call this server; the Origin header names one.\n", HTTPStatus.FORBIDDEN
        )
    return None


def _is_here(url: str) -> bool:
    """Whether a URL leads to this machine and says nothing more than host and port."""
    try:
        parts = urlsplit(url)
        return is_loopback(parts.hostname or "") and "@" not in parts.netloc and not parts.path
    except ValueError:
        return False


def _without_batches(app: ASGIApp) -> ASGIApp:
    """Refuse JSON-RPC batches, which only revision 2025-03-26 knew. Wants the whole body as one message."""
    refusal = types.JSONRPCError(
        jsonrpc="2.0",
        id=None,
        error=types.ErrorData(
            code=types.INVALID_REQUEST, message="JSON-RPC batches are not accepted; send one message."
        ),
    )
    body = json.dumps({**refusal.model_dump(mode="json", exclude_none=True), "id": None})

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        received = [await receive()]
        if received[0].get("body", b"").lstrip().startswith(b"["):
            await Response(body, HTTPStatus.BAD_REQUEST, media_type="application/json")(scope, receive, send)
            return

        async def replay() -> Message:
            return received.pop() if received else await receive()

        await app(scope, replay, send)

    return endpoint


@contextmanager
def listen(host: str, port: int) -> Generator[tuple[socket.socket, str]]:
    """Listen on an address; gives the socket and the address as a URL. Raises CommandError when it cannot be had."""
    # asyncio turns Nagle's delay off only on a socket that says it is TCP; with it every answer waits 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        try:
            if os.name == "posix":  # elsewhere this would let two programs share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen()
        except OSError as fault:
            raise CommandError(f"cannot listen on {host} port {port}: {fault.strerror}.") from None
        shown = f"[{host}]" if ":" in host else host
        yield listener, f"http://{shown}:{listener.getsockname()[1]}"


async def serve_http(app: Starlette, listener: socket.socket, greeting: str, patience: float) -> None:
    """Serve until a signal asks to stop, and answer everything that came before.

    Args:
        app: What answers.
        listener: Where.
        greeting: The line that says so.
        patience: Seconds that a request in flight may still take.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=ceil(patience),
    )
    server = _Uvicorn(config, greeting)

    def stop() -> None:
        server.should_exit = True

    with on_termination(stop):
        await server.serve([listener])


class _Uvicorn(uvicorn.Server):
    """uvicorn, which greets when it answers and leaves the signals to us: it would end with theirs, not with 0."""

    def __init__(self, config: uvicorn.Config, greeting: str) -> None:
        super().__init__(config)
        self._greeting = greeting

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        say(self._greeting)
