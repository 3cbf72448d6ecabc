"""The check before every route: refuses foreign Host and Origin headers, and too many headers."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from server.configuration.values import is_loopback, read_public_url

MOST_HEADERS: Final = 100
LARGEST_HEADERS: Final = 32 * 1024
"""In bytes, all names and values together."""

_ANY_HOST: Final = frozenset({"/healthz", "/readyz"})
"""The paths that an orchestrator calls under an address of its own."""

_REMEMBERED: Final = 64
"""How many addresses are remembered as read: clients repeat theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The names under which the server answers, and the origins whose pages may call it.

    Attributes:
        address: The address that clients use, without a path.
        is_local: Whether it listens on this machine only, so that every name of this machine is its
            own.
        origins: The origins that may call it, besides its own and those of this machine.
        open_paths: The paths that pages of any origin may call.
        pages: The first path segments of our own pages. They send no referrer, so browsers send
            `Origin: null` with their forms. The secret in a form shows its sender.
    """

    address: str
    is_local: bool
    origins: Collection[str] = ()
    open_paths: Collection[str] = ()
    pages: Collection[str] = ()

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
    """ASGI middleware that refuses requests of foreign pages (DNS rebinding), and those with too many headers."""

    def __init__(self, app: ASGIApp, reach: Reach) -> None:
        self._app = app
        self._reach = reach

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # uvicorn's httptools leaves white space around a value, which is not part of it (RFC 9110,
        # 5.5). Each path is also served with a slash at its end, since people configure it so.
        headers = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
        scope = {**scope, "headers": headers, "path": scope["path"].rstrip("/") or "/"}
        await (self._refusal(scope) or self._app)(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        fields, path, reach = scope["headers"], scope["path"], self._reach
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
