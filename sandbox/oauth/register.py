"""POST /oauth/register (RFC 7591)."""

import secrets
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.oauth.clients import answering
from sandbox.oauth.errors import NOT_STORED, OAuthRefusal
from sandbox.oauth.redirects import is_redirect_uri
from sandbox.records.credentials import StoredOAuthClient
from sandbox.records.identifiers import new_id
from sandbox.records.scopes import ALL_SCOPES
from sandbox.requests.fields import read_object, texts_in
from sandbox.state.sandbox import Sandbox

METHODS: Final = ("none", "client_secret_basic", "client_secret_post")


def register_route(sandbox: Sandbox) -> Route:
    """Return the route. A client that registers can ask for every scope."""

    async def answer(request: Request) -> Response:
        metadata = read_object(await request.body())
        if metadata is None:
            raise _invalid_metadata("The body must be a JSON object.")
        name = _read_name(metadata.get("client_name"))
        redirect_uris = _read_redirect_uris(metadata.get("redirect_uris"))
        method = metadata.get("token_endpoint_auth_method", "client_secret_basic")
        if method not in METHODS:
            raise _invalid_metadata(f"token_endpoint_auth_method is one of {', '.join(METHODS)}.")
        secret = None if method == "none" else secrets.token_urlsafe(24)
        client = StoredOAuthClient(new_id(), name, secret, redirect_uris, signing_key=None)
        sandbox.records.clients[client.id] = client
        given = {} if secret is None else {"client_secret": secret, "client_secret_expires_at": 0}
        answer = {
            "client_id": client.id,
            "client_id_issued_at": int(sandbox.clock.now().timestamp()),
            **given,
            "client_name": name,
            "redirect_uris": list(redirect_uris),
            "token_endpoint_auth_method": method,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "scope": " ".join(sorted(ALL_SCOPES)),
        }
        return JSONResponse(answer, status_code=201, headers=NOT_STORED)

    return Route("/oauth/register", answering(answer), methods=["POST"])


def _invalid_metadata(description: str) -> OAuthRefusal:
    return OAuthRefusal("invalid_client_metadata", description)


def _read_name(name: object) -> str:
    """Read the name. Calendly takes letters, digits and spaces, but no parentheses."""
    if not isinstance(name, str) or not name.strip():
        raise _invalid_metadata("client_name is missing.")
    if not all(letter.isalnum() or letter == " " for letter in name):
        raise _invalid_metadata("client_name may have letters, digits and spaces only.")
    return name


def _read_redirect_uris(value: object) -> tuple[str, ...]:
    """Read the redirect URIs: https, or http on this machine."""
    uris = texts_in(value)
    if not uris or not all(is_redirect_uri(uri) for uri in uris):
        raise OAuthRefusal("invalid_redirect_uri", "redirect_uris must be https, or http on a loopback address.")
    return tuple(uris)
