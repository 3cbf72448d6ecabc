"""Middleware that logs every request, counts it against the rate limit, and applies faults."""

import re
from collections.abc import Mapping
from typing import Final, cast

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.errors import body_for
from sandbox.requests.permissions import token_of
from sandbox.state.faults import Fault
from sandbox.state.rate_limits import Reading
from sandbox.state.sandbox import ReceivedCall, Sandbox

CONTROL: Final = "/_sandbox/"
# OAuth is outside the API and its rate limit.
SIGN_IN: Final = ("/oauth/", "/.well-known/")
# The ASGI extension that closes the connection.
CLOSE: Final = "sandbox.close"

_ISSUED: Final = re.compile(r"sandbox-(?:pat|at|rt|code)-[\w-]+")
_SECRET_FIELD: Final = re.compile(r"(?<!\w)(access_token|refresh_token|token|code|code_verifier|client_secret)=[^&]*")


def redacted(text: str) -> str:
    """Return a path or query with its tokens, codes and secrets redacted."""
    return _SECRET_FIELD.sub(r"\1=[redacted]", _ISSUED.sub("[redacted]", text))


class Gate:
    """The middleware. It lets the controls pass untouched.

    Args:
        app: The application behind it.
        sandbox: The state with the log, the rate limits and the faults.
    """

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] != "http" or cast("str", scope["path"]).startswith(CONTROL):
            await self._app(scope, receive, send)
            return
        whole = await _received(receive)
        if whole is None:
            return
        receive = whole
        method, path = cast("str", scope["method"]), cast("str", scope["path"])
        query = cast("bytes", scope["query_string"]).decode("latin-1")
        record = ReceivedCall(self._sandbox.clock.now(), method, redacted(path), redacted(query))
        self._sandbox.received.append(record)
        reading = None if path.startswith(SIGN_IN) else self._count(Headers(scope=scope))
        watched = _Watched(send, record, {} if reading is None else reading.headers)
        fault = self._sandbox.faults.take(method, path)
        if fault is not None and fault.delay:
            await self._sandbox.clock.sleep(fault.delay)
        ending = fault if fault is not None and fault.ends_call else None
        if ending is None or ending.moment == "after":
            act = self._app if reading is None or reading.allowed else self._sandbox.too_fast(reading).response()
            await act(scope, receive, _discard if ending else watched)
        if ending is not None:
            await _end(ending, scope, receive, watched)

    def _count(self, headers: Headers) -> Reading:
        """Count an API request against the rate limit of the user whose token it carries."""
        token = token_of(self._sandbox, headers.get("Authorization", ""))
        return self._sandbox.spend_request(None if token is None else self._sandbox.records.users[token.user])


class _Watched:
    """A `send` that logs the status and adds the rate limit headers where there are none."""

    def __init__(self, send: Send, record: ReceivedCall, headers: Mapping[str, str]) -> None:
        self._send = send
        self._record = record
        self._headers = headers

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._record.status = cast("int", message["status"])
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
        await self._send(message)


async def _received(receive: Receive) -> Receive | None:
    """Read the whole request, so that it acts even if the client leaves meanwhile; None if a part never came."""
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    if messages[-1]["type"] == "http.disconnect":
        return None
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _discard(_message: Message) -> None:
    """Drop the response of a request that acts before its fault."""


async def _end(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Send the fault's response, or close the connection without one."""
    if fault.status is not None:
        await _fault_response(fault, fault.status)(scope, receive, send)
        return
    extensions = cast("dict[str, object]", scope.get("extensions") or {})
    close = extensions.get(CLOSE)
    if not callable(close):
        raise ConnectionAbortedError("this server cannot close a connection without a response")
    close()
    while (await receive())["type"] != "http.disconnect":
        pass  # the rest of the request


def _fault_response(fault: Fault, status: int) -> Response:
    """Return the fault's response.

    A text is sent as it is, other values as JSON, None as Calendly's own body.
    """
    if isinstance(fault.body, str):
        return Response(fault.body, status_code=status, headers={"Content-Type": "text/html", **fault.headers})
    if status in {204, 304}:
        return Response(status_code=status, headers=fault.headers)
    body = body_for(status) if fault.body is None else fault.body
    return JSONResponse(body, status_code=status, headers=fault.headers)
