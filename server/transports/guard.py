"""The check before every route: refuses foreign Host and Origin headers, and too many or too large things."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from auth.protocol.addresses import Networks
from server.configuration.values import is_loopback, read_public_url
from server.transports.proxies import Proxies
from server.transports.refusals import REFUSAL

MOST_HEADERS: Final = 100
LARGEST_HEADERS: Final = 32 * 1024
"""In bytes, all names and values together."""

LARGEST_MESSAGE: Final = 1024 * 1024
"""In bytes, of the body of one request to the MCP endpoint."""

LARGEST_FORM: Final = 64 * 1024
"""In bytes, of the body of any other request."""

_YEAR: Final = 365 * 24 * 3600
_ANY_HOST: Final = frozenset({"/healthz", "/readyz"})
"""The paths that an orchestrator calls under an address of its own."""

_LONGEST_NUMBER: Final = 20
"""How many digits of a length are read; the largest that a parser accepts has fewer."""

_REMEMBERED: Final = 64
"""How many parsed addresses are cached: clients repeat theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The names under which the server answers, and the origins whose pages may call it.

    Attributes:
        address: The address that clients use, without a path.
        is_local: Whether it listens on this machine only, so that every name of this machine is its
            own.
        origins: The origins that may call it, besides its own and those of this machine.
        open_paths: The paths that pages of any origin may call.
        trusted_proxies: The networks whose `X-Forwarded-For` is believed.
        pages: The first path segments of our own pages. They send no referrer, so browsers send
            `Origin: null` with their forms. The secret in a form shows its sender.
    """

    address: str
    is_local: bool
    origins: Collection[str] = ()
    open_paths: Collection[str] = ()
    pages: Collection[str] = ()
    trusted_proxies: Networks = ()

    def is_ours(self, host: str) -> bool:
        """Say whether a Host header names this server."""
        if self.is_local and _is_here(f"//{host}"):
            return True
        scheme = self.address.partition(":")[0]
        return _origin(f"{scheme}://{host}") == self.address

    def admits(self, origin: str, path: str) -> bool:
        """Say whether pages of an origin may call a path."""
        if path in self.open_paths or (origin == "null" and first_segment(path) in self.pages):
            return True
        if not origin.startswith(("http://", "https://")):
            return origin.lower() in self.origins
        return _is_here(origin) or _origin(origin) in {self.address, *self.origins}


class Guard:
    """ASGI middleware that refuses requests of foreign pages (DNS rebinding), and those that take too much.

    Where clients come by https, each answer says that they always have to (RFC 6797).
    """

    def __init__(self, app: ASGIApp, reach: Reach) -> None:
        self._app = app
        self._reach = reach
        self._proxies = Proxies(reach.trusted_proxies)
        is_secure = reach.address.startswith("https:")
        self._added = [(b"strict-transport-security", f"max-age={_YEAR}".encode())] if is_secure else []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # uvicorn's httptools leaves white space around a value, which is not part of it (RFC 9110,
        # 5.5). Each path is also served with a slash at its end, since people configure it so.
        headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        scope = {**scope, "headers": headers, "path": scope["path"].rstrip("/") or "/"}
        peer = scope["client"][0] if scope.get("client") else "unknown"
        with self._proxies.request(peer, Headers(scope=scope).getlist("x-forwarded-for")) as may_go_on:
            refusal = self._refusal(scope) if may_go_on else _crowded()
            if refusal is not None:
                scope.setdefault("state", {})[REFUSAL] = bytes(refusal.body).decode().strip()
            await (refusal or self._app)(scope, receive, self._adding(send))

    def _adding(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._added]}
            await send(message)

        return sending if self._added else send

    def _refusal(self, scope: Scope) -> Response | None:
        fields, path, reach = scope["headers"], scope["path"], self._reach
        if _is_too_long(fields, LARGEST_MESSAGE if path == "/mcp" else LARGEST_FORM):
            told = "The body is larger than any that this path takes.\n"
            return PlainTextResponse(told, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"Connection": "close"})
        if len(fields) > MOST_HEADERS or sum(len(name) + len(value) for name, value in fields) > LARGEST_HEADERS:
            return PlainTextResponse("The request has too many headers.\n", HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if path in _ANY_HOST:
            return None
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not reach.is_ours(hosts[0]):
            return PlainTextResponse(
                f"This server answers as {reach.address} only; the Host header names another. Where clients use "
                "another name, such as host.docker.internal, --public-url (CALENDLY_MCP_PUBLIC_URL) has to name it.\n",
                HTTPStatus.MISDIRECTED_REQUEST,
            )
        if not all(reach.admits(origin, path) for origin in headers.getlist("origin")):
            return PlainTextResponse(
                "Pages of other origins may not call this server; the Origin header names one.\n", HTTPStatus.FORBIDDEN
            )
        return None


def _crowded() -> Response:
    told = "Too many requests of this address are under way.\n"
    return PlainTextResponse(told, HTTPStatus.TOO_MANY_REQUESTS, {"Retry-After": "1"})


def _is_too_long(fields: Iterable[tuple[bytes, bytes]], largest: int) -> bool:
    """Say whether the declared length of a body is over a limit. What is no number is not for us to say."""
    declared = [value for name, value in fields if name == b"content-length"]
    return any(value.isdigit() and int(value[:_LONGEST_NUMBER]) > largest for value in declared)


def first_segment(path: str) -> str:
    """Return the first segment of a path."""
    return path.removeprefix("/").partition("/")[0]


@lru_cache(_REMEMBERED)
def _is_here(url: str) -> bool:
    """Say whether a URL is an origin on this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port  # reading a port that is no number raises ValueError
        name = f"[{host}]" if ":" in host else host
        is_whole = url.partition("//")[2].lower() in {name, f"{name}:", f"{name}:{port}"}
        return is_whole and port != 0 and is_loopback(host)
    except ValueError:
        return False


@lru_cache(_REMEMBERED)
def _origin(url: str) -> str | None:
    try:
        return None if url.endswith("/") else read_public_url(url)
    except ValueError:
        return None
