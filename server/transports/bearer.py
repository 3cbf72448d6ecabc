"""The resource server: checks the bearer token before the hosted MCP endpoint (RFC 6750, RFC 9728).

The token is looked up for every request. Once the body is there, the scopes of the tool that it
calls, or that reads its resource, are checked as well. If a token from a sign-in by browser lacks
one, the answer is 403, and the client asks its user for more.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import Any, Final

from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.authorization import Authorization
from auth.grants.bearer import Bearer
from events.outgoing.wire import LISTEN, POLL, SUBSCRIBE
from tools.resources import LATEST_EVENTS, found_at

_BEARER: Final = "bearer"
_PRINCIPAL: Final = "principal"
_ABOUT_KINDS: Final = frozenset({SUBSCRIBE, POLL})
_NAMING: Final = _ABOUT_KINDS | {"tools/call"}
_NAMED_BY: Final[Mapping[str, Callable[[Any], object]]] = MappingProxyType(
    {
        **dict.fromkeys(_NAMING, itemgetter("name")),
        "resources/read": itemgetter("uri"),
        LISTEN: lambda params: next(
            uri for uri in params["notifications"]["resourceSubscriptions"] if uri == LATEST_EVENTS
        ),
    }
)
"""Where a message names the tool, the kind of events or the resource that it is about."""


class BearerCheck:
    """Lets requests through that have a valid token with the scopes they need.

    Args:
        authorization: Looks up tokens.
        known_as: What the rest of the server knows a bearer as: the principal, made once for each request.
        step_up: Returns the scopes for which a call of a tool sends its client to a new consent; none where it goes on.
        kind_step_up: Returns the same for a request, by its method, about a kind of events.
    """

    def __init__(
        self,
        authorization: Authorization,
        known_as: Callable[[Bearer], object],
        step_up: Callable[[Request, str], Collection[str]],
        kind_step_up: Callable[[Request, str, str], Awaitable[Collection[str]]],
    ) -> None:
        self._authorization = authorization
        self._known_as = known_as
        self._step_up = step_up
        self._kind_step_up = kind_step_up

    def before(self, app: ASGIApp) -> ASGIApp:
        """Wrap an application in the check of the token; inside it `principal_of` returns the request's principal."""

        async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive)
            bearer = await self._authorization.authenticate(request)
            if isinstance(bearer, Response):
                await bearer(scope, receive, send)
                return
            setattr(request.state, _BEARER, bearer)
            request.state.agent = bearer.client_name
            setattr(request.state, _PRINCIPAL, self._known_as(bearer))
            await app(scope, receive, send)

        return endpoint

    async def challenge(self, scope: Scope, body: bytes) -> Response | None:
        """Return the 403 to a call whose token lacks a scope, None for every other request."""
        request = Request(scope)
        bearer: Bearer = getattr(request.state, _BEARER)
        if bearer.kind != "browser":
            return None
        method, name = _named(body)
        needed: Collection[str] = ()
        if name is not None and method in _ABOUT_KINDS:
            needed = await self._kind_step_up(request, method, name)
        elif name is not None:
            needed = self._step_up(request, name)
        return self._authorization.forbid(bearer, needed) if needed else None


def principal_of(request: Request | None) -> object:
    """Return what `known_as` made of the bearer; None unless the request came through `BearerCheck.before`."""
    return None if request is None else getattr(request.state, _PRINCIPAL, None)


def _named(body: bytes) -> tuple[str, str | None]:
    """Return the method of a message, and the tool that it calls or the kind of events that it is about.

    Headers do not count: the sender can write anything there.
    """
    try:
        message: Any = from_json(body)
        method, params = message["method"], message["params"]
        named = _NAMED_BY[method](params) if method in _NAMED_BY else None
    except (ValueError, KeyError, TypeError, StopIteration):
        return "", None
    if not isinstance(named, str):
        return "", None
    if method in _NAMING:
        return method, named
    found = found_at(named)
    return method, found[0].tool.name if found else None
