"""A listener on this machine for Calendly's answer to one sign-in (RFC 8252, 7.3).

It accepts one request, `GET /callback?…` with the right `state`, and answers any other with an error page.
"""

import asyncio
import errno
import hmac
import socket
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from auth.protocol.errors import InvalidRequest
from auth.protocol.parameters import single
from auth.upstream.login import LoginRefused

PATH: Final = "/callback"

_LARGEST_HEAD: Final = 16_384
_PATIENCE: Final = 10.0
_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
# A machine may be without IPv6.
_NO_SUCH_ADDRESS: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})

_PAGE: Final = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>:root {{ color-scheme: light dark }} body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem;
margin: 15vh auto; padding: 0 1rem }}</style></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""


@dataclass(frozen=True, slots=True)
class AuthorizationAnswer:
    """Calendly's answer, which a browser brings (RFC 6749, 4.1.2).

    Attributes:
        code: To be exchanged for tokens, None after a refusal.
        error: The error code of a refusal.
    """

    code: str | None = field(default=None, repr=False)
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What the browser is shown.

    Attributes:
        status: The HTTP status.
        title: Of the page.
        text: Of the page.
        answer: Calendly's answer, where the request brought it.
    """

    status: HTTPStatus
    title: str
    text: str
    answer: AuthorizationAnswer | None = None

    def encode(self) -> bytes:
        """Write the HTTP response."""
        page = _PAGE.format(title=self.title, text=self.text).encode()
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\n"
            "Content-Type: text/html; charset=utf-8\r\n"
            f"Content-Length: {len(page)}\r\n"
            "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'\r\n"
            "Cache-Control: no-store\r\n"
            "Referrer-Policy: no-referrer\r\n"
            "X-Content-Type-Options: nosniff\r\n"
            "Connection: close\r\n"
            "\r\n"
        )
        return head.encode() + page


_NOT_FOUND: Final = Reply(HTTPStatus.NOT_FOUND, "Not found", "There is nothing here but the end of a sign-in.")
_BAD: Final = Reply(
    HTTPStatus.BAD_REQUEST, "Not this sign-in", "This is no answer to the sign-in that waits here. It goes on waiting."
)
_DECLINED: Final = Reply(
    HTTPStatus.OK, "Not signed in", "Calendly was not connected. You can close this page and go back to the terminal."
)
_DONE: Final = Reply(
    HTTPStatus.OK, "Almost done", "You can close this page. The terminal says whether you are signed in."
)


def read_request(head: bytes, port: int, state: str, issuers: Collection[str] = ()) -> Reply:
    """Return the reply to a request.

    Args:
        head: The request line and the header fields.
        port: Ours. Host must name it, so that a foreign name that resolves to this machine does not get through.
        state: What was sent to Calendly.
        issuers: What Calendly may call itself in its answer.
    """
    lines = head.decode("latin-1").split("\r\n")
    method, _, target = lines[0].partition(" ")
    hosts = [value.strip() for name, _, value in (line.partition(":") for line in lines[1:]) if name.lower() == "host"]
    if len(hosts) != 1 or hosts[0] not in {f"{host}:{port}" for host in _HOSTS}:
        return _BAD
    url = target.partition(" ")[0]
    if method != "GET" or url.partition("?")[0] != PATH:
        return _NOT_FOUND
    return _read_query(urlsplit(url).query, state, issuers)


def _read_query(query: str, state: str, issuers: Collection[str]) -> Reply:
    try:
        parameters = single(parse_qsl(query, keep_blank_values=True))
    except InvalidRequest:
        return _BAD
    if not hmac.compare_digest(parameters.get("state", "").encode(), state.encode()):
        return _BAD
    if parameters.get("iss", "").rstrip("/") not in {"", *issuers}:  # RFC 9207, 2.4
        return _BAD
    code, error = parameters.get("code"), parameters.get("error")
    if error is not None:
        known = "access_denied" if error == "access_denied" else "server_error"
        return Reply(_DECLINED.status, _DECLINED.title, _DECLINED.text, AuthorizationAnswer(error=known))
    return _BAD if code is None else Reply(_DONE.status, _DONE.title, _DONE.text, AuthorizationAnswer(code=code))


class Callback:
    """The listener while it listens; made by `listening`."""

    def __init__(self, port: int, state: str, issuers: Collection[str] = ()) -> None:
        self.port = port
        self._state = state
        self._issuers = issuers
        self._answer = asyncio.get_running_loop().create_future()
        self._connections: set[asyncio.Task[None] | None] = set()

    @property
    def redirect_uri(self) -> str:
        """Where Calendly sends the browser."""
        return f"http://localhost:{self.port}{PATH}"

    async def answer(self) -> AuthorizationAnswer:
        """Wait for the answer."""
        answer: AuthorizationAnswer = await self._answer
        return answer

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Reply to one request and close."""
        task = asyncio.current_task()
        self._connections.add(task)
        try:
            async with asyncio.timeout(_PATIENCE):
                reply = read_request(await reader.readuntil(b"\r\n\r\n"), self.port, self._state, self._issuers)
                writer.write(reply.encode())
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            return  # no request came, or the connection was cut
        finally:
            self._connections.discard(task)
            writer.close()
        if reply.answer is not None:
            self.take(reply.answer)

    def paste(self, text: str) -> bool:
        """Take what a person pasted: the address of the page that did not open, or its code alone.

        A code alone comes without a state; PKCE still binds it to this sign-in.

        Returns:
            Whether it is Calendly's answer to this sign-in.
        """
        words = text.split()
        if len(words) != 1:
            return False
        answer = _read_query(urlsplit(words[0]).query or words[0], self._state, self._issuers).answer
        if answer is None and not set("=&?/").intersection(words[0]):
            answer = AuthorizationAnswer(code=words[0])
        if answer is not None:
            self.take(answer)
        return answer is not None

    def take(self, answer: AuthorizationAnswer) -> None:
        """Take Calendly's answer; the first one counts."""
        if not self._answer.done():
            self._answer.set_result(answer)

    async def close(self) -> None:
        """Close the connections on which no request came."""
        open_ones = [task for task in self._connections if task is not None]
        for task in open_ones:
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)


@asynccontextmanager
async def listening(port: int, state: str, issuers: Collection[str] = ()) -> AsyncGenerator[Callback]:
    """Listen on 127.0.0.1 and, where there is one, ::1.

    Args:
        port: The port of the redirect URI that the application has at Calendly; 0 takes a free one.
        state: What is sent to Calendly; the answer must bring it back.
        issuers: What Calendly may call itself in the answer.

    Raises:
        LoginRefused: The port is not free.
    """
    try:
        sockets = _bind(port)
    except OSError as error:
        raise LoginRefused(
            f"Nothing can listen on port {port} here: {error.strerror}. --redirect-port names another one, which the "
            "application must have as well."
        ) from None
    callback = Callback(sockets[0].getsockname()[1], state, issuers)
    servers = [await asyncio.start_server(callback.serve, sock=bound, limit=_LARGEST_HEAD) for bound in sockets]
    try:
        yield callback
    finally:
        for server in servers:
            server.close()
        await callback.close()


def _bind(port: int) -> list[socket.socket]:
    """Bind 127.0.0.1 and ::1 to the same port, since `localhost` may be either."""
    bound = [socket.create_server(("127.0.0.1", port))]
    try:
        bound.append(socket.create_server(("::1", bound[0].getsockname()[1]), family=socket.AF_INET6))
    except OSError as error:
        if error.errno not in _NO_SUCH_ADDRESS:
            bound[0].close()
            raise
    return bound
