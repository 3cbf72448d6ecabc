"""What every call passes before it is answered: the record of calls, the pace, and the faults asked for."""

import re
from collections.abc import Mapping
from typing import cast

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.errors import CalendlyError, body_for
from sandbox.faults import Fault
from sandbox.permissions import token_of
from sandbox.rate_limits import Reading
from sandbox.state import ReceivedCall, Sandbox

CONTROL = "/_sandbox/"
# Where a person signs in and tokens are given out: outside the API, and not counted against its pace.
SIGN_IN = ("/oauth/", "/.well-known/")
# The ASGI extension by which the server offers to close the connection.
CLOSE = "sandbox.close"

_ISSUED = re.compile(r"sandbox-(?:pat|at|rt|code)-[\w-]+")
_SECRET_FIELD = re.compile(r"(?<!\w)(access_token|refresh_token|token|code|code_verifier|client_secret)=[^&]*")


def redacted(text: str) -> str:
    """Return a path or query without tokens, codes and secrets."""
    return _SECRET_FIELD.sub(r"\1=[redacted]", _ISSUED.sub("[redacted]", text))


def error_response(error: CalendlyError) -> Response:
    """Write a refusal."""
    return JSONResponse(error.body, status_code=error.status, headers=error.headers)


class Gate:
    """Middleware around everything but the controls.

    Args:
        app: what answers.
        sandbox: where calls are recorded and counted, and faults wait.
    """

    def __init__(self, app: ASGIApp, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a call on, or end it."""
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
            act = self._app if reading is None or reading.allowed else error_response(self._sandbox.too_fast(reading))
            await act(scope, receive, _discard if ending else watched)
        if ending is not None:
            await _end(ending, scope, receive, watched)

    def _count(self, headers: Headers) -> Reading:
        """Count a call to the API against the pace of whoever's token it carries."""
        records = self._sandbox.records
        token = token_of(records, headers.get("Authorization", ""))
        return self._sandbox.spend_request(None if token is None else records.users[token.user])


class _Watched:
    """A `send` that notes the status and adds the rate limit headers to an answer that has none."""

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
    """Take in a whole request, so that it acts although whoever sent it has gone meanwhile.

    Return None for a request of which a part never came: nobody has received it.
    """
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
    """Swallow the answer of a call that acts but must not be heard."""


async def _end(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the fault's status, or close the connection without an answer."""
    if fault.status is not None:
        await _fault_response(fault, fault.status)(scope, receive, send)
        return
    extensions = cast("dict[str, object]", scope.get("extensions") or {})
    close = extensions.get(CLOSE)
    if not callable(close):
        raise ConnectionAbortedError("this server has no way to close a connection without an answer")
    close()
    while (await receive())["type"] != "http.disconnect":
        pass  # what was left of the request


def _fault_response(fault: Fault, status: int) -> Response:
    """Write the fault's own body, text as it is and all else as JSON, or what Calendly sends with that status."""
    if isinstance(fault.body, str):
        return Response(fault.body, status_code=status, headers={"Content-Type": "text/html", **fault.headers})
    if status in {204, 304}:
        return Response(status_code=status, headers=fault.headers)
    body = body_for(status) if fault.body is None else fault.body
    return JSONResponse(body, status_code=status, headers=fault.headers)
