"""Refusals as pages, for whoever reads them in a browser: programs get the plain text or the JSON that they came as."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ErrorPage = Callable[[str, int], Response]
"""Makes a page of a sentence and a status."""

_READ_ANEW: Final = ("content-type", "content-length")
_SENTENCES: Final = {
    "Not Found": "There is no page at this address.",
    "Method Not Allowed": "This address does not take that kind of request, or is for programs only.",
    "Internal Server Error": "This server has a fault. Whoever runs it finds it in its log.",
}
_FOR_PROGRAMS: Final = "This address is for programs that speak MCP; the first page says how to connect one."


class ErrorPages:
    """ASGI middleware that answers browsers with pages where an answer would be an error as plain text."""

    def __init__(self, app: ASGIApp, page: ErrorPage) -> None:
        self._app = app
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back."""
        if scope["type"] != "http" or not wants_pages(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        at_endpoint = scope["method"] == "GET" and scope["path"].rstrip("/") == "/mcp"
        held: list[Message] = []

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_for_programs(message, at_endpoint=at_endpoint):
                held.append(message)
            elif not held:
                await send(message)
            else:
                held.append(message)
                if not message.get("more_body", False):
                    await self._page_of(held, at_endpoint=at_endpoint)(scope, receive, send)

        await self._app(scope, receive, sending)

    def _page_of(self, held: list[Message], *, at_endpoint: bool) -> Response:
        """Return an answer as a page, with its status and its headers."""
        start, *parts = held
        text = b"".join(part.get("body", b"") for part in parts).decode(errors="replace").strip()
        response = self._page(_FOR_PROGRAMS if at_endpoint else _SENTENCES.get(text, text), start["status"])
        for name, value in Headers(raw=start["headers"]).items():
            if name not in _READ_ANEW and name not in response.headers:
                response.headers.append(name, value)
        return response


def wants_pages(headers: Headers) -> bool:
    """Say whether an answer is for a browser: only those ask for HTML by name."""
    return any("text/html" in value.lower() for value in headers.getlist("accept"))


def _is_for_programs(start: Message, *, at_endpoint: bool) -> bool:
    kind = Headers(raw=start["headers"]).get("content-type", "")
    is_text = kind.startswith("text/plain") or (at_endpoint and kind.startswith("application/json"))
    return start["status"] >= HTTPStatus.BAD_REQUEST and is_text
