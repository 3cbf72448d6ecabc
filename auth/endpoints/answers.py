"""How endpoints answer: programs in JSON, from any origin; people in pages. Here refusals become answers."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.endpoints.html import SIGN_IN_FAILED, Pages
from auth.protocol.errors import InvalidClient, OAuthError, SignInError, TemporarilyUnavailable, TooManyRequests
from storage.errors import StorageUnavailable

Answer = Callable[[Request], Awaitable[Response]]

NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749, 5.1
_STORAGE_RETRY_SECONDS: Final = 5
_UNSTORED: Final = "The request could not be stored. Try again in a moment."

# Any page may call these endpoints: they take no cookie, and what they need a caller must know by itself.
_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, MCP-Protocol-Version",
    "Access-Control-Max-Age": "86400",
}


def json_route(path: str, method: str, answer: Answer) -> Route:
    """Make the route of an endpoint for programs. Every refusal is an answer."""

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": method})
        try:
            response = await answer(request)
        except OAuthError as fault:
            response = json_refusal(fault)
        except StorageUnavailable:
            response = json_refusal(TemporarilyUnavailable(_UNSTORED))
        response.headers.update(_ANY_ORIGIN)
        return response

    return Route(path, endpoint, methods=[method, "OPTIONS"])


def page_route(
    path: str, methods: Sequence[str], pages: Pages, answer: Answer, *, failed: str = SIGN_IN_FAILED
) -> Route:
    """Make the route of an endpoint for people. A refusal is shown on our own page, with `failed` as its title."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except SignInError as fault:
            retry_after = fault.retry_after if isinstance(fault, TooManyRequests) else None
            return pages.error(fault.description, status=fault.status, retry_after=retry_after, title=failed)
        except StorageUnavailable:
            status, retry_after = TemporarilyUnavailable.status, _STORAGE_RETRY_SECONDS
            return pages.error(_UNSTORED, status=status, retry_after=retry_after, title=failed)

    return Route(path, endpoint, methods=list(methods))


def see_other(location: str) -> Response:
    """Send the browser on with a GET, whatever it came with (RFC 9700, 4.12), and without telling where from."""
    return Response(
        status_code=303, headers={"Location": location, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    )


def json_refusal(fault: OAuthError) -> JSONResponse:
    """Answer a program that gets nothing (RFC 6749, 5.2)."""
    headers = dict(NOT_KEPT)
    if isinstance(fault, InvalidClient):
        headers["WWW-Authenticate"] = 'Basic realm="calendly-mcp"'
    if isinstance(fault, TooManyRequests):
        headers["Retry-After"] = str(fault.retry_after)
    if isinstance(fault, TemporarilyUnavailable):
        headers["Retry-After"] = str(_STORAGE_RETRY_SECONDS)
    body = {"error": fault.error, "error_description": fault.description}
    return JSONResponse(body, fault.status, headers)
