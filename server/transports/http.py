"""Streamable HTTP: the one endpoint, what stands before it, and the pages beside it.

Stateless, so that any replica answers any request; all revisions of MCP on the same address.
"""

import os
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any, Final, Protocol

import mcp_types as types
import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from server.configuration.terminal import cannot_listen, say
from server.transports.guard import Guard, Reach
from server.transports.http_protocol import BoundedProtocol
from server.transports.signals import on_termination

LARGEST_BODY: Final = 1024 * 1024
"""Bytes of a request on the MCP endpoint."""

_SENT_ALONG: Final = ("WWW-Authenticate", "MCP-Session-Id", "MCP-Protocol-Version", "Retry-After")
"""The headers of our answers that a page may read besides the usual ones."""

Inspection = Callable[[Scope, bytes], Response | None]
"""Looks at a request and its whole body; the answer that turns it away, or None."""


class Door(Protocol):
    """What stands before the MCP endpoint where not everybody may call it: `server.transports.bearer`."""

    def before(self, app: ASGIApp) -> ASGIApp:
        """Put the check of who asks before an application."""
        ...

    def challenge(self, scope: Scope, body: bytes) -> Response | None:
        """Return the answer to a request that its sender may not make, None for one that it may."""
        ...


async def _always_ready() -> bool:
    """Depend on nothing that could be missing."""
    return True


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What there is around the MCP endpoint.

    Attributes:
        reach: By which names the server is asked, and from which pages.
        front_page: What is shown at `/`.
        door: What stands before the endpoint, None where whoever reaches it may call.
        routes: Other pages.
        is_ready: Whether requests can be answered now.
    """

    reach: Reach
    front_page: Callable[[], Response]
    door: Door | None = None
    routes: Sequence[BaseRoute] = ()
    is_ready: Callable[[], Awaitable[bool]] = _always_ready


def http_app(server: Server[Any], around: Surroundings) -> Starlette:
    """Make the ASGI application; `server` is what answers MCP."""
    manager = StreamableHTTPSessionManager(server, stateless=True, max_request_body_size=LARGEST_BODY)
    endpoint = _endpoint(manager.asgi_app, around.door)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with manager.run():
            yield

    async def page(_request: Request) -> Response:
        return around.front_page()

    async def well(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        if await around.is_ready():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    return Starlette(
        routes=[
            Route("/mcp", endpoint, methods=["POST"]),
            Route("/mcp", _for_pages(_post_only), methods=["OPTIONS"]),  # apart: other methods are told of POST alone
            Route("/healthz", well),
            Route("/readyz", ready),
            Route("/", page),
            *around.routes,
        ],
        middleware=[Middleware(Guard, around.reach)],
        lifespan=lifespan,
    )


def _endpoint(app: ASGIApp, door: Door | None) -> ASGIApp:
    """Put before an application what a message has to pass."""
    inspected = _inspected(app, [_refuse_batch] if door is None else [_refuse_batch, door.challenge])
    limited: ASGIApp = RequestBodyLimitMiddleware(inspected, LARGEST_BODY)
    return _for_pages(limited if door is None else door.before(limited))


def _for_pages(app: ASGIApp) -> ASGIApp:
    """Answer what browsers ask before and after a call. The guard has turned away pages of other origins by now."""
    return CORSMiddleware(
        app, allow_origin_regex=".*", allow_methods=["POST"], allow_headers=["*"], expose_headers=_SENT_ALONG
    )


async def _post_only(scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse OPTIONS that is no browser's question before a call."""
    await PlainTextResponse("Method Not Allowed", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})(
        scope, receive, send
    )


def _inspected(app: ASGIApp, inspections: Sequence[Inspection]) -> ASGIApp:
    """Let pass what no inspection objects to. Wants the whole body as one message."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        received = [await receive()]
        body = received[0].get("body", b"")
        refusal = next(filter(None, (inspection(scope, body) for inspection in inspections)), None)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def replay() -> Message:
            return received.pop() if received else await receive()

        await app(scope, replay, send)

    return endpoint


def _refuse_batch(_scope: Scope, body: bytes) -> Response | None:
    """Refuse JSON-RPC batches, which only revision 2025-03-26 knew."""
    if not body.lstrip().startswith(b"["):
        return None
    error = types.ErrorData(code=types.INVALID_REQUEST, message="JSON-RPC batches are not accepted; send one message.")
    refusal = types.JSONRPCError(jsonrpc="2.0", id=None, error=error)
    answer = {**refusal.model_dump(mode="json", exclude_none=True), "id": None}
    return JSONResponse(answer, HTTPStatus.BAD_REQUEST)


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
            raise cannot_listen(host, port, fault) from None
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
        http=BoundedProtocol,
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
