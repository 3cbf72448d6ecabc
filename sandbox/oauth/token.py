"""POST /oauth/token."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.oauth.clients import FormFields, answering, authenticate, read_form
from sandbox.oauth.errors import NOT_STORED, OAuthRefusal, invalid_grant, required
from sandbox.records.credentials import (
    StoredAccessToken,
    StoredAuthorizationCode,
    StoredOAuthClient,
    StoredRefreshToken,
)
from sandbox.records.identifiers import uri
from sandbox.state.sandbox import Sandbox

ACCESS_TOKEN_SECONDS: Final = 7200


def token_route(sandbox: Sandbox) -> Route:
    """Return the route."""

    async def answer(request: Request) -> Response:
        form = await read_form(request)
        client = authenticate(sandbox.records, form, request.headers.get("Authorization", ""))
        match required(form, "grant_type"):
            case "authorization_code":
                issued = _redeem(sandbox, client, form)
            case "refresh_token":
                issued = _refresh(sandbox, client, form)
            case _:
                raise OAuthRefusal("unsupported_grant_type", "grant_type is authorization_code or refresh_token.")
        return JSONResponse(issued, headers=NOT_STORED)

    return Route("/oauth/token", answering(answer), methods=["POST"])


def _redeem(sandbox: Sandbox, client: StoredOAuthClient, form: FormFields) -> dict[str, object]:
    """Redeem a code once. A second use revokes the tokens of the first (RFC 6749, section 4.1.2)."""
    code = sandbox.records.codes.get(required(form, "code"))
    if code is None or code.client != client.id:
        raise invalid_grant("The code is unknown or was given to another client.")
    if code.used:
        revoke_grant(sandbox, code.grant)
        raise invalid_grant("The code was used before.")
    _check_code(code, form, sandbox.clock.now())
    _count(sandbox, code.user)
    code.used = True
    return _issue(sandbox, client, code.user, code.scopes, code.grant)


def _check_code(code: StoredAuthorizationCode, form: FormFields, now: datetime) -> None:
    if code.expires_at <= now:
        raise invalid_grant("The code expired.")
    if form.get("redirect_uri") != code.redirect_uri:
        raise invalid_grant("redirect_uri is not the one the code was sent to.")
    if not _proves(form.get("code_verifier", ""), code.challenge):
        raise invalid_grant("code_verifier does not fit the code_challenge.")


def _proves(verifier: str, challenge: str | None) -> bool:
    """Check PKCE (RFC 7636). A challenge needs its verifier, and a verifier needs a challenge."""
    if challenge is None:
        return not verifier
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode())


def _refresh(sandbox: Sandbox, client: StoredOAuthClient, form: FormFields) -> dict[str, object]:
    """Redeem a refresh token once: using it revokes it."""
    token = sandbox.records.refresh_tokens.get(required(form, "refresh_token"))
    if token is None or token.client != client.id:
        raise invalid_grant("The refresh token is unknown or was given to another client.")
    if token.revoked:
        raise invalid_grant("The refresh token was used or revoked before.")
    _count(sandbox, token.user)
    token.revoked = True
    return _issue(sandbox, client, token.user, token.scopes, token.grant)


def _count(sandbox: Sandbox, user: str) -> None:
    reading = sandbox.spend_token_request(user)
    if not reading.allowed:
        raise sandbox.too_fast(reading)


def _issue(
    sandbox: Sandbox, client: StoredOAuthClient, user: str, scopes: frozenset[str], grant: str
) -> dict[str, object]:
    now = sandbox.clock.now()
    access = StoredAccessToken(
        value=f"sandbox-at-{secrets.token_urlsafe(24)}",
        user=user,
        scopes=scopes,
        client=client.id,
        grant=grant,
        issued_at=now,
        expires_at=now + timedelta(seconds=ACCESS_TOKEN_SECONDS),
    )
    refresh = StoredRefreshToken(f"sandbox-rt-{secrets.token_urlsafe(24)}", user, scopes, client.id, grant, now)
    sandbox.records.access_tokens[access.value] = access
    sandbox.records.refresh_tokens[refresh.value] = refresh
    return {
        "token_type": "Bearer",
        "access_token": access.value,
        "refresh_token": refresh.value,
        "scope": " ".join(sorted(scopes)),
        "expires_in": ACCESS_TOKEN_SECONDS,
        "created_at": int(now.timestamp()),
        "owner": uri("users", user),
        "organization": uri("organizations", sandbox.records.users[user].organization),
    }


def revoke_grant(sandbox: Sandbox, grant: str) -> None:
    """Revoke every token that came from one sign-in."""
    records = sandbox.records
    tokens: list[StoredAccessToken | StoredRefreshToken] = [
        *records.access_tokens.values(),
        *records.refresh_tokens.values(),
    ]
    for token in tokens:
        if token.grant == grant:
            token.revoked = True
