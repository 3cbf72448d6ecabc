"""Makes the routes of endpoints: for programs with JSON, from any origin; for people with pages.

Refusals and storage faults become answers here.
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.endpoints.html import SIGN_IN_FAILED, Pages
from auth.protocol.errors import (
    Forgotten,
    InvalidClient,
    OAuthError,
    SignInError,
    TemporarilyUnavailable,
    TooManyRequests,
)
from storage.errors import StorageUnavailable

Answer = Callable[[Request], Awaitable[Response]]

NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749, 5.1
_RETRY_SECONDS: Final = 5
"""After how many seconds a client may try again."""

# Any page may call these endpoints: they accept no cookies, so a page gains nothing from the browser it runs in.
_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, MCP-Protocol-Version",
    "Access-Control-Max-Age": "86400",
}


@contextmanager
def storage_faults(told: str = "The request could not be stored. Try again in a moment.") -> Generator[None]:
    """Raise TemporarilyUnavailable, with `told` as its description, if the database fails."""
    try:
        yield
    except StorageUnavailable:
        raise TemporarilyUnavailable(told) from None


def json_route(path: str, method: str, answer: Answer) -> Route:
    """Make the route of an endpoint for programs."""

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": method})
        try:
            with storage_faults():
                response = await answer(request)
        except OAuthError as fault:
            request.state.refusal = fault.description  # for the log
            response = json_refusal(fault)
        response.headers.update(_ANY_ORIGIN)
        return response

    return Route(path, endpoint, methods=[method, "OPTIONS"])


def page_route(path: str, method: str, pages: Pages, answer: Answer, *, failed: str = SIGN_IN_FAILED) -> Route:
    """Make the route of an endpoint for people. A refusal is a page with `failed` as its title."""

    async def endpoint(request: Request) -> Response:
        try:
            with storage_faults():
                return await answer(request)
        except SignInError as fault:
            request.state.refusal = fault.description
            return pages.error(
                fault.description,
                status=fault.status,
                retry_after=_retry_after(fault),
                title=failed,
                starts_anew=not isinstance(fault, Forgotten),  # its own sentence says what comes first
            )

    return Route(path, endpoint, methods=[method])


def json_refusal(fault: OAuthError) -> JSONResponse:
    """Make the answer for a refusal (RFC 6749, 5.2)."""
    headers = dict(NOT_KEPT)
    if isinstance(fault, InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="calendly-mcp"'
    retry_after = _retry_after(fault)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = {"error": fault.error, "error_description": fault.description}
    return JSONResponse(body, fault.status, headers)


def _retry_after(fault: SignInError) -> int | None:
    """Return after how many seconds the client may try again, None if that would not help."""
    if isinstance(fault, TooManyRequests):
        return fault.retry_after
    return _RETRY_SECONDS if isinstance(fault, TemporarilyUnavailable) else None
