"""Streamable HTTP: the MCP endpoint, the checks before it, and the pages beside it.

The endpoint is stateless, so any replica answers any request. All revisions of MCP use the same
address.
"""

import asyncio
import gc
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from math import ceil
from typing import Any, Final, Protocol, cast

import uvicorn
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from server.configuration.terminal import say
from server.transports.accepting import accepting
from server.transports.connections import ConnectionLimits, bounded
from server.transports.error_pages import ErrorPage, ErrorPages
from server.transports.guard import LARGEST_MESSAGE, Guard, Reach
from server.transports.listening import pass_over_exhaustion
from server.transports.messages import Rejected, understood, unknown_revision
from server.transports.refusals import Refusals
from server.transports.signals import on_termination

_SENT_ALONG: Final = ("WWW-Authenticate", "MCP-Session-Id", "MCP-Protocol-Version", "Retry-After")
"""The headers of our answers that a web page may read, besides the safelisted ones."""

_TURNS: Final = 3
"""How many turns of the event loop go by until what was accepted is a connection that uvicorn knows."""

Inspection = Callable[[Scope, bytes], Awaitable[Response | None]]
"""Checks a request and its whole body. Returns the refusal, or None."""


class Door(Protocol):
    """The check of the caller before the MCP endpoint: `server.transports.bearer.BearerCheck`."""

    def before(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application in the check of the caller."""
        ...

    async def challenge(self, scope: Scope, body: bytes) -> Response | None:
        """Return the refusal of a request that its sender may not make, else None."""
        ...


async def _always_ready() -> bool:
    """Say that requests can be answered: nothing is needed for it."""
    return True


def _nothing_goes_on() -> None:
    """End nothing: every answer ends by itself."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What surrounds the MCP endpoint.

    Attributes:
        reach: The names under which the server answers, and the origins that may call it.
        front_page: Makes the page at `/`.
        error_page: Makes the page of a refusal, for browsers.
        door: The check of the caller; None if anyone who reaches the endpoint may call.
        routes: Further routes.
        is_ready: Says whether requests can be answered now.
        stopping: Ends the answers that go on until the server stops.
    """

    reach: Reach
    front_page: Callable[[], Response]
    error_page: ErrorPage
    door: Door | None = None
    routes: Sequence[BaseRoute] = ()
    is_ready: Callable[[], Awaitable[bool]] = _always_ready
    stopping: Callable[[], None] = _nothing_goes_on


def http_app(server: Server[Any], around: Surroundings) -> Starlette:
    """Make the ASGI application around an MCP server."""
    streaming, plain = (
        StreamableHTTPSessionManager(
            server, stateless=True, json_response=json_response, max_request_body_size=LARGEST_MESSAGE
        )
        for json_response in (False, True)
    )
    endpoint = _endpoint(accepting(streaming.asgi_app, plain.asgi_app), around.door)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncGenerator[None]:
        async with streaming.run(), plain.run():
            yield

    async def page(_request: Request) -> Response:
        return around.front_page()

    async def well(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        if await around.is_ready():
            return PlainTextResponse("ok\n")
        return PlainTextResponse("not ready\n", HTTPStatus.SERVICE_UNAVAILABLE)

    app = Starlette(
        routes=[
            Route("/mcp", endpoint),
            Route("/healthz", well),
            Route("/readyz", ready),
            Route("/", page),
            *around.routes,
        ],
        middleware=[Middleware(Refusals), Middleware(ErrorPages, around.error_page), Middleware(Guard, around.reach)],
        lifespan=lifespan,
    )
    app.state.stopping = around.stopping
    app.router.redirect_slashes = False  # the guard reads `/mcp/` as `/mcp`; a redirect would name the socket
    return app


def _endpoint(app: ASGIApp, door: Door | None) -> ASGIApp:
    """Wrap an application in the checks that a message has to pass."""
    inspected = _inspected(app, [_refuse_malformed] if door is None else [_refuse_malformed, door.challenge])
    limited = _post_only(RequestBodyLimitMiddleware(inspected, LARGEST_MESSAGE))
    return _for_pages(limited if door is None else door.before(limited))


def _for_pages(app: ASGIApp) -> ASGIApp:
    """Answer CORS preflights and add CORS headers. The guard has refused foreign origins before."""
    return CORSMiddleware(
        app, allow_origin_regex=".*", allow_methods=["POST"], allow_headers=["*"], expose_headers=_SENT_ALONG
    )


def _post_only(app: ASGIApp) -> ASGIApp:
    """Refuse every other method, after the check of the caller."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        refusal = PlainTextResponse("Method Not Allowed", HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "POST"})
        await (app if scope["method"] == "POST" else refusal)(scope, receive, send)

    return endpoint


def _inspected(app: ASGIApp, inspections: Sequence[Inspection]) -> ASGIApp:
    """Wrap an application in inspections. The whole body has to come as one message."""

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        received = [await receive()]
        body = received[0].get("body", b"")
        for inspection in inspections:
            refusal = await inspection(scope, body)
            if refusal is not None:
                await refusal(scope, receive, send)
                return

        async def replay() -> Message:
            return received.pop() if received else await receive()

        await app(scope, replay, send)

    return endpoint


async def _refuse_malformed(scope: Scope, body: bytes) -> Response | None:
    """Refuse what is not one message, or of no known revision.

    The SDK would take a request with an odd id for a notification, and an unknown revision for the newest.
    """
    message = understood(body)
    revision = Headers(scope=scope).get("mcp-protocol-version")
    if not isinstance(message, Rejected) and revision is not None:
        message = unknown_revision(revision, getattr(message, "id", None)) or message
    if not isinstance(message, Rejected):
        return None
    answer = message.answer.model_dump(mode="json", exclude_none=True)
    return JSONResponse({**answer, "id": message.answer.id}, HTTPStatus.BAD_REQUEST)


async def serve_http(
    app: Starlette, listener: socket.socket, greeting: str, patience: float, limits: ConnectionLimits | None = None
) -> None:
    """Serve until a signal asks to stop, then finish the requests in flight.

    Args:
        app: The application.
        listener: The socket.
        greeting: The line on stderr that says that the server answers.
        patience: How long a request in flight may still take, in seconds.
        limits: What a client may take of the server.
    """
    asyncio.get_running_loop().set_exception_handler(pass_over_exhaustion)
    config = uvicorn.Config(
        app,
        http=cast("type[asyncio.Protocol]", bounded(limits or ConnectionLimits())),
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
        app.state.stopping()

    with on_termination(stop):
        await server.serve([listener])


class _Uvicorn(uvicorn.Server):
    """uvicorn with a greeting, and without its signal handlers: they end the process by the signal, not with 0."""

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
        # What is loaded by now stays, so no later collection needs to look at it.
        gc.collect()
        gc.freeze()
        say(self._greeting)

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        # asyncio makes a connection of what it has accepted two turns later. One that is made after uvicorn has told
        # all to close would go on as long as its client has requests.
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        await super().shutdown(sockets)
