"""Signing in at Calendly: the authorization code flow with PKCE, and who it was that signed in.

OAuth 2.1; developer.calendly.com, "How to access Calendly data on behalf of authenticated users".
"""

import re
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Final, cast

import httpx2

from auth.upstream.application import Application, Applications
from auth.upstream.login import (
    IDENTITY_SCOPE,
    CalendlyLoginError,
    IdentityUnproven,
    LoginRefused,
    LoginUnavailable,
    Person,
    SignIn,
    Tokens,
    revoke_quietly,
)
from auth.upstream.oauth_client import OAuthClient, answered, oauth_client
from calendly.identifiers import InvalidIdentifier, OrganizationId, UserId
from calendly.request import JSON

_LIFETIME: Final = timedelta(hours=2)
_SHORTEST_LIFETIME: Final = timedelta(minutes=1)
_LONGEST_LIFETIME: Final = timedelta(days=90)
_LONGEST_TEXT: Final = 500
# Visible ASCII: anything else could not stand in a header (RFC 6750, 2.1, is narrower still).
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,8192}")
# RFC 6749, 5.2; a client that was deleted registers anew.
_UNKNOWN_CLIENT: Final = "invalid_client"
# What Calendly said for grants from before scopes were introduced.
_UNSCOPED: Final = "default"


class CalendlyLogin:
    """Calendly's authorization server towards one redirect URI: `auth.upstream.login.Upstream`.

    Args:
        applications: Who we are at Calendly.
        redirect_uri: Where Calendly sends the browser back to.
        api_url: Where `GET /users/me` is asked.
        now: The wall clock.
    """

    def __init__(
        self,
        applications: Applications,
        *,
        redirect_uri: str,
        api_url: str,
        now: Callable[[], datetime],
    ) -> None:
        self._applications = applications
        self._redirect_uri = redirect_uri
        self._api_url = api_url
        self._now = now

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx2.create_ssl_context()

    async def authorization_url(self, *, state: str, verifier: str, scopes: Iterable[str]) -> str:
        """Return where to send the browser."""
        async with self._errand() as (client, application):
            return client.authorization_url(application, self._redirect_uri, state, verifier, scopes)

    async def sign_in(self, *, code: str, verifier: str) -> SignIn:
        """Exchange the code, and prove with `GET /users/me` whose the tokens are.

        Tokens that are not proven are ended at once. Raises CalendlyLoginError.
        """
        fields = {"code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        async with self._errand() as (client, application):
            asked_at = self._now()
            tokens = read_tokens(await client.redeem(application, fields), asked_at)
        try:
            return SignIn(await self._prove(tokens), tokens)
        except CalendlyLoginError:
            await revoke_quietly(self, tokens)
            raise

    async def refresh(self, refresh_token: str) -> Tokens:
        """Use the refresh token, once. Raises CalendlyLoginError."""
        async with self._errand() as (client, application):
            asked_at = self._now()
            return read_tokens(await client.refresh(application, refresh_token), asked_at)

    async def revoke(self, tokens: Tokens) -> None:
        """End both tokens. Raises CalendlyLoginError when Calendly did not say that it did."""
        async with self._errand() as (client, application):
            await client.revoke(application, tokens.refresh_token, "refresh_token")
            await client.revoke(application, tokens.access_token, "access_token")

    @asynccontextmanager
    async def _errand(self) -> AsyncGenerator[tuple[OAuthClient, Application]]:
        application = await self._applications.current()
        try:
            async with oauth_client(application, tls=self._tls) as client:
                yield client, application
        except LoginRefused as refused:
            if refused.code == _UNKNOWN_CLIENT:
                await self._applications.disowned(application)
            raise

    async def _prove(self, tokens: Tokens) -> Person:
        bearer = {"Authorization": f"Bearer {tokens.access_token}"}
        async with oauth_client(tls=self._tls) as client:
            response = await client.ask("GET", f"{self._api_url}/users/me", headers=bearer)
        if response.is_client_error and response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            raise IdentityUnproven(
                f"Calendly does not say who signed in; the scope {IDENTITY_SCOPE} has to be granted."
            )
        return read_person(answered(response), tokens)


def read_tokens(answer: JSON, asked_at: datetime) -> Tokens:
    """Read a token answer (RFC 6749, 5.1, and Calendly's `owner` and `organization`).

    Args:
        answer: What the token endpoint sent.
        asked_at: When it was asked; the token's life is counted from there, by our clock.

    Raises:
        LoginUnavailable: It has no tokens that could be sent.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    kind = answer.get("token_type", "bearer")
    if not (_is_token(access) and _is_token(refresh)) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise LoginUnavailable("Calendly's token answer could not be read.")
    return Tokens(
        access_token=str(access),
        refresh_token=str(refresh),
        expires_at=asked_at + _lifetime(answer.get("expires_in")),
        scopes=_scopes(answer.get("scope")),
        owner=_uri(UserId, answer.get("owner")),
        organization=_uri(OrganizationId, answer.get("organization")),
    )


def read_person(answer: JSON, tokens: Tokens) -> Person:
    """Read the answer of `GET /users/me`. Raises IdentityUnproven when it names nobody, or somebody else."""
    resource = answer.get("resource")
    members = cast("JSON", resource) if isinstance(resource, dict) else {}
    uri = _uri(UserId, members.get("uri"))
    if uri is None or tokens.owner not in {None, uri}:
        raise IdentityUnproven("Calendly's two answers do not name the same person.")
    return Person(
        uri=uri,
        organization=_uri(OrganizationId, members.get("current_organization")) or tokens.organization,
        name=_text(members.get("name")),
        email=_text(members.get("email")),
        timezone=_text(members.get("timezone")),
    )


def _is_token(value: object) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _lifetime(value: object) -> timedelta:
    """Read `expires_in`. What makes no sense is taken for what Calendly's tokens live."""
    if isinstance(value, int) and _SHORTEST_LIFETIME.total_seconds() <= value <= _LONGEST_LIFETIME.total_seconds():
        return timedelta(seconds=value)
    return _LIFETIME


def _scopes(value: object) -> frozenset[str] | None:
    scopes = frozenset(value.split()) if isinstance(value, str) else frozenset[str]()
    return None if not scopes or _UNSCOPED in scopes else scopes


def _uri(kind: type[UserId | OrganizationId], value: object) -> str | None:
    """Read a resource URI of Calendly's and rewrite it from its identifier; None when nothing is there."""
    if value is None:
        return None
    try:
        identifier = kind.parse(value if isinstance(value, str) else "")
    except InvalidIdentifier:
        identifier = UserId.ME
    if identifier == UserId.ME:
        raise IdentityUnproven("Calendly's answer does not name a person as Calendly does.")
    return identifier.uri


def _text(value: object) -> str | None:
    return value[:_LONGEST_TEXT] if isinstance(value, str) and value else None
