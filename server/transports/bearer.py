"""The resource server: what stands before the MCP endpoint where agents sign in (RFC 6750, RFC 9728).

First the token, looked up anew for every request; later, when the body is there, the scopes of the tool that it calls,
or through which it reads a resource.
A token from a browser's sign-in that lacks one is answered 403, on which a client asks its user for more.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.access.levels import Access
from auth.authorization import Authorization
from auth.grants.principal import Principal
from calendly.scopes import includes
from tools.resources import found_at

ScopesNeeded = Callable[[Request, Access, str], Collection[str]]
"""What a request needs that calls the tool of a name, where the person allows so much."""


TurnedAway = Callable[[Request, str], None]
"""Notes that a request, which calls the tool of a name, was turned away."""

_PRINCIPAL: Final = "principal"


class BearerCheck:
    """Lets a request through for whom its token speaks.

    Args:
        authorization: Knows the tokens.
        scopes_needed: What calls need.
        turned_away: Is told of a call whose token lacks what it needs.
    """

    def __init__(self, authorization: Authorization, scopes_needed: ScopesNeeded, turned_away: TurnedAway) -> None:
        self._authorization = authorization
        self._scopes_needed = scopes_needed
        self._turned_away = turned_away

    def before(self, app: ASGIApp) -> ASGIApp:
        """Put the check of the token before an application; `principal_of` then tells whose request it is."""

        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            caller = await self._authorization.authenticate(request)
            if isinstance(caller, Response):
                await caller(scope, receive, send)
                return
            setattr(request.state, _PRINCIPAL, caller)
            await app(scope, receive, send)

        return endpoint

    def challenge(self, scope: Scope, body: bytes) -> Response | None:
        """Return the answer to a call for which the token's scopes do not do; None for every other request."""
        request = Request(scope)
        principal = principal_of(request)
        tool = _called_tool(body)
        if tool is None or principal.kind != "browser":
            return None
        needed = self._scopes_needed(request, principal.access, tool)
        if includes(principal.scopes, needed):
            return None
        self._turned_away(request, tool)
        return self._authorization.forbid(principal, needed)


def principal_of(request: Request | None) -> Principal:
    """Return for whom the token of a request speaks. Raises LookupError unless it came through `BearerCheck.before`."""
    principal: Principal | None = getattr(request.state, _PRINCIPAL, None) if request is not None else None
    if principal is None:
        raise LookupError("The request did not pass the check of its token.")
    return principal


def _called_tool(body: bytes) -> str | None:
    """Read the tool that a message calls. From the body alone: whoever sends it can write what it likes in headers."""
    try:
        message: Any = from_json(body)
        method, params = message["method"], message["params"]
        named = params["uri"] if method == "resources/read" else params["name"] if method == "tools/call" else None
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(named, str):
        return None
    if method == "tools/call":
        return named
    found = found_at(named)
    return found[0].tool.name if found else None
