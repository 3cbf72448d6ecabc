"""POST /oauth/revoke (RFC 7009)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.oauth.clients import answering, authenticate, read_form
from sandbox.oauth.errors import NOT_STORED, required
from sandbox.oauth.token import revoke_grant
from sandbox.state.sandbox import Sandbox


def revoke_route(sandbox: Sandbox) -> Route:
    """Return the route.

    Revoking a refresh token revokes its access tokens; an unknown token is a success.
    """

    async def answer(request: Request) -> Response:
        form = await read_form(request)
        client = authenticate(sandbox.records, form, request.headers.get("Authorization", ""))
        value = required(form, "token")
        access = sandbox.records.access_tokens.get(value)
        refresh = sandbox.records.refresh_tokens.get(value)
        if access is not None and access.client == client.id:
            access.revoked = True
        if refresh is not None and refresh.client == client.id:
            revoke_grant(sandbox, refresh.grant)
        return JSONResponse({}, headers=NOT_STORED)

    return Route("/oauth/revoke", answering(answer), methods=["POST"])
