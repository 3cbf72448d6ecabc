"""Authorization put together: the endpoints of the authorization server, and the check of the resource server.

routes()        what a client and a browser talk to until there is a token
authenticate()  what stands before the MCP endpoint: the bearer of a token, or the answer that turns the request away
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from auth.endpoints.answers import json_refusal, storage_faults
from auth.endpoints.authorize import authorize_route
from auth.endpoints.callback import callback_route
from auth.endpoints.consent import consent_route
from auth.endpoints.metadata import metadata_routes
from auth.endpoints.page_sign_in import page_sign_in_routes
from auth.endpoints.register import register_route
from auth.endpoints.revoke import revoke_route
from auth.endpoints.site import Site
from auth.endpoints.token import token_route
from auth.grants import bearer_rows
from auth.grants.bearer import Bearer
from auth.grants.bearer_rows import StoredToken
from auth.grants.rules import live_scopes
from auth.pages.agent import agent_routes
from auth.pages.agents import agents_routes
from auth.pages.confirm import confirm_routes
from auth.pages.everybody import owners_routes
from auth.protocol.challenges import insufficient_scope, unauthenticated
from auth.protocol.errors import OAuthError
from auth.protocol.scopes import least
from auth.protocol.secrets import ACCESS_TOKEN, AGENT_TOKEN, digest, is_well_formed

_NOTHING_SENT: Final = "This endpoint needs an access token in the Authorization header."
_NOT_BEARER: Final = "This endpoint takes one access token, as `Authorization: Bearer TOKEN`, and nothing else."
_NO_LONGER_GOOD: Final = "The access token expired, was revoked or is not for this server."


class Authorization:
    """One authorization server and the check of what it protects."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[BaseRoute]:
        """Make the routes of all endpoints."""
        site = self._site
        return [
            *metadata_routes(site),
            register_route(site),
            authorize_route(site),
            consent_route(site),
            callback_route(site),
            *page_sign_in_routes(site),
            *agents_routes(site),
            *owners_routes(site),
            *agent_routes(site),
            *confirm_routes(site),
            token_route(site),
            revoke_route(site),
        ]

    async def verify(self, token: str, resource: str) -> Bearer | None:
        """Return who a token speaks for at `resource`, or None when it is not good there.

        Looked up every time, so that an ended grant is over at once. Raises StorageUnavailable.
        """
        found = await self._find(token)
        scopes = live_scopes(found.token if found else None, resource, self._site.now())
        if found is None or scopes is None:
            return None
        return found.bearer.limited_to(least(scopes, self._site.offered))

    async def authenticate(self, request: Request) -> Bearer | Response:
        """Check a request to the MCP endpoint: who it is from, or the 401, 429 or 503 it is answered with.

        A token counts in the Authorization header only (RFC 6750, 2.1).
        """
        tokens = [_token_in(value) for value in request.headers.getlist("authorization")]
        token = tokens[0] if len(tokens) == 1 else None
        try:
            with storage_faults("The access token could not be looked up. Try again soon."):
                bearer = None if token is None else await self.verify(token, self._site.resource)
                told = _NOTHING_SENT if not tokens else _NOT_BEARER if token is None else _NO_LONGER_GOOD
                return bearer or await self._turn_away(request, told)
        except OAuthError as fault:
            request.state.refusal = fault.description  # for the log
            return json_refusal(fault)

    def forbid(self, bearer: Bearer, needed: Iterable[str]) -> Response:
        """Make the 403 for an operation that needs a scope which the token lacks and a new consent could give."""
        challenge = insufficient_scope(self._site.resource, needed, bearer.scopes)
        body = {"error": "insufficient_scope", "error_description": "The access token lacks a scope for this."}
        return JSONResponse(body, HTTPStatus.FORBIDDEN, {"WWW-Authenticate": challenge})

    async def _find(self, token: str) -> StoredToken | None:
        database, keyring = self._site.database, self._site.keyring
        if is_well_formed(token, ACCESS_TOKEN):
            return await bearer_rows.find_access_token(database, keyring, digest(token))
        if is_well_formed(token, AGENT_TOKEN):
            return await bearer_rows.find_agent_token(database, keyring, digest(token))
        return None

    async def _turn_away(self, request: Request, told: str) -> Response:
        site, token_sent = self._site, told != _NOTHING_SENT
        if token_sent:
            address = site.address(request)
            async with site.database.read() as connection:
                await site.check_rate(connection, "bad_bearers", address)
            async with site.database.begin() as connection:
                await site.count(connection, "bad_bearers", address)
        challenge = unauthenticated(site.resource, site.offered, token_sent=token_sent)
        body = {
            "error": "invalid_token" if token_sent else "unauthorized",
            "error_description": told,
        }
        request.state.refusal = body["error_description"]
        return JSONResponse(body, HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": challenge})


def _token_in(authorization: str) -> str | None:
    scheme, _, token = authorization.strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
