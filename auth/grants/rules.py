"""The rules of codes, tokens and token families. Pure: they get rows and a request, and return a decision.

A grant says that a person let a client in. Each sign-in under it gives one code, and the code one
token family: refresh tokens, each of which gives a successor when it is used, and short-lived
access tokens. When a family or its grant ends, all of its tokens end.

    grant ── code ── family ─┬─ refresh token 1 (used twice) ─┬─ 2 (used) ── 4
                             │                                └─ 3
                             └─ access tokens

Several windows of one client share a stored refresh token and wake up to the life of an access
token apart. So a used token gives further successors for a while, to its own client and a few times
only. Every other repeat shows that two parties have it, and ends the family (RFC 9700, 4.14.2).

The caller marks a code as used only if it is still unused, and asks for a new decision if another
request was faster; it holds the row of a refresh token. So these rules need not consider two
requests at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auth.protocol.errors import InvalidGrant, InvalidScope, InvalidTarget, OAuthError
from auth.protocol.pkce import is_proof
from auth.protocol.scopes import Scopes, least, narrow

CODE_LIFE: Final = timedelta(seconds=60)
ACCESS_TOKEN_LIFE: Final = timedelta(minutes=30)
REFRESH_TOKEN_LIFE: Final = timedelta(days=30)
FAMILY_LIFE: Final = timedelta(days=180)
REFRESH_GRACE: Final = timedelta(hours=1)
"""How long after its first use a refresh token gives further successors, unless the operator sets another time."""

MOST_USES: Final = 4
"""How many successors a refresh token gives: one, and three to windows that did not see the first."""


@dataclass(frozen=True, slots=True)
class Code:
    """A stored authorization code, and whether its grant ended."""

    grant: str
    client: str
    redirect_uri: str
    redirect_uri_sent: bool
    challenge: str
    resource: str
    scopes: Scopes
    expires_at: datetime
    used_at: datetime | None
    grant_ended: bool


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """The other parameters that a client sends with a code."""

    client: str
    redirect_uri: str | None
    verifier: str | None
    resource: str | None


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A stored refresh token, with what it inherits.

    Attributes:
        scopes: Those of the family. The person may allow less by now (`allowed`).
        expires_at: When it dies of idleness, or with the family.
        used_at: When it was used first, None while it is unused.
        uses: How many successors it has given.
        ended: The family or the grant ended.
    """

    family: str
    grant: str
    client: str
    resource: str
    scopes: Scopes
    allowed: Scopes
    expires_at: datetime
    family_expires_at: datetime
    used_at: datetime | None
    uses: int
    ended: bool


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """The other parameters that a client sends with a refresh token."""

    client: str
    resource: str | None
    scope: str | None


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A stored access token or agent token, with what it inherits.

    Attributes:
        scopes: Those it was issued with. The person may allow less by now (`allowed`).
        ended: The family or the grant ended.
    """

    resource: str
    scopes: Scopes
    allowed: Scopes
    expires_at: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class Redeem:
    """Issue the tokens of this code, and mark it used."""

    code: Code


@dataclass(frozen=True, slots=True)
class Rotate:
    """Issue a successor of this refresh token, count the use, and issue an access token with these scopes."""

    token: RefreshToken
    scopes: Scopes


@dataclass(frozen=True, slots=True)
class Revoke:
    """End the tokens of a replayed code or refresh token: two parties have it."""

    error: OAuthError


@dataclass(frozen=True, slots=True)
class Refuse:
    """Issue nothing and change nothing."""

    error: OAuthError


def check_resource(resource: str | None, ours: str) -> str:
    """Check a resource indicator (RFC 8707). None means ours. Raises InvalidTarget.

    Scheme and host may be in any case, the port of the scheme may be named (RFC 3986, 6.2; MCP authorization,
    "Canonical Server URI"), and a slash may follow.
    """
    if resource is None or _canonical(resource) == _canonical(ours):
        return ours
    raise InvalidTarget("resource must be this server's own MCP endpoint.")


def redeem(code: Code | None, request: CodeRequest, now: datetime) -> Redeem | Revoke | Refuse:
    """Decide about a code at the token endpoint.

    A code that is presented twice ends its tokens, but only if the second request would have
    succeeded as the first (OAuth 2.1, 4.1.3): somebody who only saw the code cannot sign its owner
    out.
    """
    if code is None or code.client != request.client:
        return Refuse(InvalidGrant("The code is unknown or was given to another client."))
    fault = _code_fault(code, request)
    if fault is not None:
        return Refuse(fault)
    if code.used_at is not None:
        return Revoke(InvalidGrant("The code was used before; what it gave is revoked."))
    if now >= code.expires_at or code.grant_ended:
        return Refuse(InvalidGrant("The code expired or was revoked."))
    return Redeem(code)


def refresh(
    token: RefreshToken | None, request: RefreshRequest, now: datetime, grace: timedelta = REFRESH_GRACE
) -> Rotate | Revoke | Refuse:
    """Decide about a refresh token at the token endpoint; `grace` is for how long a used one is taken again."""
    if token is None or (token.client != request.client and token.used_at is None):
        return Refuse(InvalidGrant("The refresh token is unknown or was given to another client."))
    given = least(token.scopes, token.allowed)
    ends_at = token.expires_at if token.used_at is None else token.family_expires_at
    if token.ended or now >= ends_at or not given:
        return Refuse(InvalidGrant("The refresh token expired or was revoked."))
    if token.used_at is not None and _is_theft(token, token.used_at, request, now, grace):
        return Revoke(InvalidGrant("The refresh token was used before; what came of it is revoked."))
    try:
        check_resource(request.resource, token.resource)
        scopes = narrow(request.scope, given)
    except (InvalidTarget, InvalidScope) as fault:
        return Refuse(fault)
    return Rotate(token, scopes)


def live_scopes(token: AccessToken | None, resource: str, now: datetime) -> Scopes | None:
    """Return the scopes that an access token has at `resource` now, None when it is not valid there."""
    if token is None or token.ended or now >= token.expires_at or token.resource != resource:
        return None
    return least(token.scopes, token.allowed)


def _canonical(resource: str) -> str:
    """Return a resource indicator as this server writes its own."""
    scheme, _, rest = resource.partition("://")
    authority, slash, path = rest.partition("/")
    scheme = scheme.lower()
    authority = authority.lower().removesuffix({"https": ":443", "http": ":80"}.get(scheme, "/"))
    return f"{scheme}://{authority}{slash}{path}".removesuffix("/")


def refresh_token_end(now: datetime, family_expires_at: datetime) -> datetime:
    """Return when a refresh token issued now expires: after its idle time, or with its family."""
    return min(now + REFRESH_TOKEN_LIFE, family_expires_at)


def _is_theft(token: RefreshToken, used_at: datetime, request: RefreshRequest, now: datetime, grace: timedelta) -> bool:
    return token.client != request.client or now - used_at > grace or token.uses >= MOST_USES


def _code_fault(code: Code, request: CodeRequest) -> OAuthError | None:
    if request.redirect_uri is None and not code.redirect_uri_sent:
        pass  # RFC 6749, 4.1.3: needed here only if it was sent to /authorize
    elif request.redirect_uri != code.redirect_uri:
        return InvalidGrant("redirect_uri is not the one that the code was sent to.")
    try:
        check_resource(request.resource, code.resource)
    except InvalidTarget as fault:
        return fault
    if not is_proof(request.verifier or "", code.challenge):
        return InvalidGrant("code_verifier does not fit the code_challenge.")
    return None
