"""Signing in at Calendly as the rest of the server sees it: values, errors and the Protocol `Upstream`.

It does not know how Calendly is reached or where tokens are kept, and imports nothing heavy: a local server reads a
stored login with it alone.

CalendlyLoginError
├── GrantRefused     the code or the refresh token was used, revoked or expired
├── LoginRefused     Calendly refused for another reason: the application, its scopes, its redirect URI
├── LoginBusy        429: the token endpoint may not be asked for `retry_after` seconds
├── LoginUnavailable no connection, no answer in time, a 5xx, or an answer that cannot be read
│   └── LoginUnreachable the first two of these
└── IdentityUnproven the API does not name the person that the token answer names
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from auth.protocol.scopes import least
from calendly.scopes import SCOPES

_log: Final = logging.getLogger(__name__)

IDENTITY_SCOPE: Final = "users:read"
"""Every sign-in asks for it: without it Calendly does not say who signed in."""


class CalendlyLoginError(Exception):
    """Calendly did not give, refresh or revoke tokens.

    Attributes:
        reason: One sentence without private detail.
        code: The `error` of RFC 6749, 5.2, None when Calendly sent none.
        retry_after: Seconds until it is worth asking again, None when not known.
    """

    def __init__(self, reason: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.retry_after = retry_after


class GrantRefused(CalendlyLoginError):
    """The code or the refresh token was used, revoked or expired (RFC 6749, 5.2: `invalid_grant`)."""


class LoginRefused(CalendlyLoginError):
    """Calendly refused, and would refuse again with the same settings."""


class LoginBusy(CalendlyLoginError):
    """Calendly answered 429; `retry_after` is always set."""

    retry_after: float


class LoginUnavailable(CalendlyLoginError):
    """Calendly did nothing, or what it did is not known."""


class LoginUnreachable(LoginUnavailable):
    """No answer came: the network, a proxy, or Calendly."""


class IdentityUnproven(CalendlyLoginError):
    """`GET /users/me` does not name the person that the token answer names."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint answered.

    Attributes:
        access_token: Sent to Calendly's API only.
        refresh_token: Good for one use (developer.calendly.com, "Refresh token rotation guide").
        expires_at: When the access token ends, counted from the request, by our clock.
        scopes: What Calendly granted; None when it did not say, or said `default`, as for grants from before scopes.
        owner: The user URI in the answer, None without one.
        organization: The organization URI in the answer, None without one.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    scopes: frozenset[str] | None
    owner: str | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class CalendlyPerson:
    """Who signed in, as `GET /users/me` says.

    Attributes:
        uri: The user URI.
        organization: The organization URI, None for a person without one.
        name: As it is shown to people.
        email: Their address at Calendly.
        timezone: An IANA name.
    """

    uri: str
    organization: str | None
    name: str | None
    email: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class SignIn:
    """A proven sign-in.

    Attributes:
        person: Who signed in.
        tokens: Theirs.
    """

    person: CalendlyPerson
    tokens: Tokens


class Upstream(Protocol):
    """Calendly as an authorization server, for one redirect URI of ours.

    Every method may raise CalendlyLoginError, and takes at most some tens of seconds.
    """

    async def authorization_url(self, *, state: str, verifier: str, scopes: Iterable[str]) -> str:
        """Return where to send the browser; `verifier` stays here, only its S256 challenge is in the URL."""
        ...

    async def sign_in(self, *, code: str, verifier: str) -> SignIn:
        """Exchange the code and prove with `GET /users/me` whose the tokens are."""
        ...

    async def refresh(self, refresh_token: str) -> Tokens:
        """Use the refresh token, once, without a retry."""
        ...

    async def revoke(self, tokens: Tokens) -> None:
        """End both tokens at Calendly."""
        ...


async def revoke_quietly(upstream: Upstream, tokens: Tokens) -> None:
    """End tokens that are kept no longer. Where Calendly cannot be told, the log says so."""
    try:
        await upstream.revoke(tokens)
    except CalendlyLoginError as error:
        _log.warning("tokens were dropped, but Calendly was not told to revoke them: %s", error)


def scopes_to_ask(wanted: Iterable[str], *, held: Iterable[str], registered: Iterable[str]) -> tuple[str, ...]:
    """Return the scopes of one sign-in, in Calendly's order.

    Args:
        wanted: What this consent adds.
        held: What the person's connection has; a sign-in without it would take it away from other agents.
        registered: What our application may ask for (`CALENDLY_SCOPES`); a write scope includes its read scope.
    """
    asked = least({IDENTITY_SCOPE, *wanted, *held}, registered)
    return tuple(scope for scope in SCOPES if scope in asked)
