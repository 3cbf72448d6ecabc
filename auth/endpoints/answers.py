"""How endpoints answer: programs in JSON, from any origin; people in pages. Here refusals become answers."""

from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.endpoints.html import SIGN_IN_FAILED, Pages
from auth.protocol.errors import InvalidClient, OAuthError, SignInError, TemporarilyUnavailable, TooManyRequests
from storage.errors import StorageUnavailable

Answer = Callable[[Request], Awaitable[Response]]

NOT_KEPT: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}  # RFC 6749, 5.1
_RETRY_SECONDS: Final = 5
"""How soon a client that was told to try again may do so."""

# Any page may call these endpoints: they take no cookie, and what they need a caller must know by itself.
_ANY_ORIGIN: Final = {"Access-Control-Allow-Origin": "*"}
_PREFLIGHT: Final = {
    **_ANY_ORIGIN,
    "Access-Control-Allow-Headers": "Authorization, Content-Type, MCP-Protocol-Version",
    "Access-Control-Max-Age": "86400",
}


@contextmanager
def storage_faults(told: str = "The request could not be stored. Try again in a moment.") -> Generator[None]:
    """Turn a database that fails into a refusal. Raises TemporarilyUnavailable, whose description is `told`."""
    try:
        yield
    except StorageUnavailable:
        raise TemporarilyUnavailable(told) from None


def json_route(path: str, method: str, answer: Answer) -> Route:
    """Make the route of an endpoint for programs. Every refusal is an answer."""

    async def endpoint(request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_PREFLIGHT, "Access-Control-Allow-Methods": method})
        try:
            with storage_faults():
                response = await answer(request)
        except OAuthError as fault:
            response = json_refusal(fault)
        response.headers.update(_ANY_ORIGIN)
        return response

    return Route(path, endpoint, methods=[method, "OPTIONS"])


def page_route(
    path: str, methods: Sequence[str], pages: Pages, answer: Answer, *, failed: str = SIGN_IN_FAILED
) -> Route:
    """Make the route of an endpoint for people. A refusal is shown on our own page, with `failed` as its title."""

    async def endpoint(request: Request) -> Response:
        try:
            with storage_faults():
                return await answer(request)
        except SignInError as fault:
            status, retry_after = fault.status, _retry_after(fault)
            return pages.error(fault.description, status=status, retry_after=retry_after, title=failed)

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
    retry_after = _retry_after(fault)
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = {"error": fault.error, "error_description": fault.description}
    return JSONResponse(body, fault.status, headers)


def _retry_after(fault: SignInError) -> int | None:
    """Return after how many seconds another try makes sense, None where none does."""
    if isinstance(fault, TooManyRequests):
        return fault.retry_after
    return _RETRY_SECONDS if isinstance(fault, TemporarilyUnavailable) else None
