"""The resource server: checks the bearer token before the hosted MCP endpoint (RFC 6750, RFC 9728).

The token is looked up for every request. Once the body is there, the scopes of the tool that it
calls, or that reads its resource, are checked as well. If a token from a sign-in by browser lacks
one, the answer is 403, and the client asks its user for more.
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
"""Returns the scopes that a request needs to call a tool, given its name and the access that the person allows."""


TurnedAway = Callable[[Request, str], None]
"""Records that a request to call a tool, given its name, was refused."""

_PRINCIPAL: Final = "principal"


class BearerCheck:
    """Lets requests through that have a valid token with the scopes they need.

    Args:
        authorization: Looks up tokens.
        scopes_needed: Returns the scopes that a call needs.
        turned_away: Records a call whose token lacks a scope.
    """

    def __init__(self, authorization: Authorization, scopes_needed: ScopesNeeded, turned_away: TurnedAway) -> None:
        self._authorization = authorization
        self._scopes_needed = scopes_needed
        self._turned_away = turned_away

    def before(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application in the check of the token; inside it `principal_of` returns the request's principal."""

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
        """Return the 403 to a call whose token lacks a scope, None for every other request."""
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
    """Return the principal of a request. Raises LookupError unless it came through `BearerCheck.before`."""
    principal: Principal | None = getattr(request.state, _PRINCIPAL, None) if request is not None else None
    if principal is None:
        raise LookupError("The request did not pass the check of its token.")
    return principal


def _called_tool(body: bytes) -> str | None:
    """Return the name of the tool that a message calls. Headers do not count: the sender can write anything there."""
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
