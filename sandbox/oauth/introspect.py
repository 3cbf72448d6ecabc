"""POST /oauth/introspect (RFC 7662)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.oauth.clients import answering, authenticate, read_form
from sandbox.oauth.errors import NOT_STORED, required
from sandbox.records.credentials import StoredOAuthClient
from sandbox.records.identifiers import uri
from sandbox.state.sandbox import Sandbox


def introspect_route(sandbox: Sandbox) -> Route:
    """Return the route."""

    async def answer(request: Request) -> Response:
        form = await read_form(request)
        client = authenticate(sandbox.records, form, request.headers.get("Authorization", ""))
        return JSONResponse(_describe(sandbox, client, required(form, "token")), headers=NOT_STORED)

    return Route("/oauth/introspect", answering(answer), methods=["POST"])


def _describe(sandbox: Sandbox, client: StoredOAuthClient, value: str) -> dict[str, object]:
    """Describe an active token of this client. Every other token is just not active."""
    records, now = sandbox.records, sandbox.clock.now()
    access, refresh = records.access_tokens.get(value), records.refresh_tokens.get(value)
    token = access or refresh
    expires_at = None if access is None else access.expires_at
    expired = expires_at is not None and expires_at <= now
    if token is None or token.client != client.id or token.revoked or expired or token.issued_at is None:
        return {"active": False}
    return {
        "active": True,
        "scope": " ".join(sorted(token.scopes or ())),
        "client_id": client.id,
        "token_type": "Bearer",
        "iat": int(token.issued_at.timestamp()),
        **({} if expires_at is None else {"exp": int(expires_at.timestamp())}),
        "owner": uri("users", token.user),
        "organization": uri("organizations", records.users[token.user].organization),
    }
