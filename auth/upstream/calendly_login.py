"""Signing in at Calendly: the authorization code flow with PKCE, and the proof of who signed in.

OAuth 2.1; developer.calendly.com, "How to access Calendly data on behalf of authenticated users".
"""

import re
import ssl
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cached_property
from http import HTTPStatus
from typing import Final, cast

import httpx2

from auth.protocol.pkce import s256
from auth.protocol.redirect_uris import with_parameters
from auth.upstream.application import Application, Applications
from auth.upstream.exchange import answered, ask, is_success, refusal
from auth.upstream.login import (
    IDENTITY_SCOPE,
    CalendlyLoginError,
    CalendlyPerson,
    IdentityUnproven,
    LoginUnavailable,
    SignIn,
    Tokens,
    revoke_quietly,
)
from calendly.identifiers import InvalidIdentifier, OrganizationId, UserId
from calendly.request import JSON

_LIFETIME: Final = timedelta(hours=2)
_SHORTEST_LIFETIME: Final = timedelta(minutes=1)
_LONGEST_LIFETIME: Final = timedelta(days=90)
_LONGEST_TEXT: Final = 500
# Visible ASCII, which a header can hold (RFC 6750, 2.1, is narrower still).
_TOKEN: Final = re.compile(r"[\x21-\x7e]{1,8192}")
# RFC 6749, 5.2. A client that was deleted registers anew.
_UNKNOWN_CLIENT: Final = "invalid_client"
# Calendly's scope for grants from before scopes were introduced.
_UNSCOPED: Final = "default"


class CalendlyLogin:
    """Calendly's authorization server for one redirect URI: `auth.upstream.login.Upstream`.

    Args:
        applications: Who we are at Calendly.
        redirect_uri: Where Calendly sends the browser back to.
        api_url: The origin of `GET /users/me`.
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
        application = await self._applications.current()
        parameters = {
            "response_type": "code",
            "client_id": application.client_id,
            "redirect_uri": self._redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        }
        return with_parameters(application.authorization_endpoint, parameters)

    async def sign_in(self, *, code: str, verifier: str) -> SignIn:
        """Exchange the code, and prove with `GET /users/me` whose the tokens are.

        Tokens without that proof are revoked at once. Raises CalendlyLoginError.
        """
        fields = {"code": code, "redirect_uri": self._redirect_uri, "code_verifier": verifier}
        tokens = await self._tokens({"grant_type": "authorization_code", **fields})
        try:
            return SignIn(await self._prove(tokens), tokens)
        except CalendlyLoginError:
            await revoke_quietly(self, tokens)
            raise

    async def refresh(self, refresh_token: str) -> Tokens:
        """Use the refresh token, once. It stays where the answer has no new one. Raises CalendlyLoginError."""
        return await self._tokens({"grant_type": "refresh_token", "refresh_token": refresh_token})

    async def revoke(self, tokens: Tokens) -> None:
        """Revoke both tokens. Raises CalendlyLoginError unless Calendly confirms it."""
        application = await self._applications.current()
        for kind, token in (("refresh_token", tokens.refresh_token), ("access_token", tokens.access_token)):
            form = {"token": token, "token_type_hint": kind}
            await self._post(application, application.revocation_endpoint, form, by_basic=False)

    async def _tokens(self, form: dict[str, str]) -> Tokens:
        application = await self._applications.current()
        asked_at = self._now()
        response = await self._post(application, application.token_endpoint, form, by_basic=True)
        return read_tokens({"refresh_token": form.get("refresh_token"), **answered(response)}, asked_at)

    async def _post(
        self, application: Application, url: str, form: dict[str, str], *, by_basic: bool
    ) -> httpx2.Response:
        """Send a form as our application. A public client only names itself; PKCE is its proof.

        Args:
            application: Who we are.
            url: Where to.
            form: The fields, without the client's.
            by_basic: Send a secret in the Authorization header (RFC 6749, 2.3.1), not in the form. Clients of Calendly
                that are known to work send it in the form when they revoke.

        Raises:
            CalendlyLoginError: The answer is not a success.
        """
        secret = application.client_secret
        auth = (application.client_id, secret) if secret and by_basic else None
        named = {} if auth else {"client_id": application.client_id, **({"client_secret": secret} if secret else {})}
        response = await ask("POST", url, tls=self._tls, auth=auth, data={**form, **named})
        if is_success(response):
            return response
        fault = refusal(response)
        if fault.code == _UNKNOWN_CLIENT:
            await self._applications.disowned(application)
        raise fault

    async def _prove(self, tokens: Tokens) -> CalendlyPerson:
        bearer = {"Authorization": f"Bearer {tokens.access_token}"}
        response = await ask("GET", f"{self._api_url}/users/me", tls=self._tls, headers=bearer)
        if response.is_client_error and response.status_code != HTTPStatus.TOO_MANY_REQUESTS:
            raise IdentityUnproven(
                f"Calendly does not say who signed in; the scope {IDENTITY_SCOPE} has to be granted."
            )
        return read_person(answered(response), tokens)


def read_tokens(answer: JSON, asked_at: datetime) -> Tokens:
    """Read a token answer (RFC 6749, 5.1, and Calendly's `owner` and `organization`).

    Args:
        answer: What the token endpoint sent.
        asked_at: When it was asked, by our clock; the token's life is counted from then.

    Raises:
        LoginUnavailable: It has no usable tokens.
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


def read_person(answer: JSON, tokens: Tokens) -> CalendlyPerson:
    """Read the answer of `GET /users/me`. Raises IdentityUnproven when it does not name the owner of the tokens."""
    resource = answer.get("resource")
    members = cast("JSON", resource) if isinstance(resource, dict) else {}
    uri = _uri(UserId, members.get("uri"))
    if uri is None or tokens.owner not in {None, uri}:
        raise IdentityUnproven("Calendly's two answers do not name the same person.")
    return CalendlyPerson(
        uri=uri,
        organization=_uri(OrganizationId, members.get("current_organization")) or tokens.organization,
        name=_text(members.get("name")),
        email=_text(members.get("email")),
        timezone=_text(members.get("timezone")),
    )


def _is_token(value: object) -> bool:
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def _lifetime(value: object) -> timedelta:
    """Read `expires_in`. A senseless value counts as the usual life of Calendly's tokens."""
    if isinstance(value, int) and _SHORTEST_LIFETIME.total_seconds() <= value <= _LONGEST_LIFETIME.total_seconds():
        return timedelta(seconds=value)
    return _LIFETIME


def _scopes(value: object) -> frozenset[str] | None:
    scopes = frozenset(value.split()) if isinstance(value, str) else frozenset[str]()
    return None if not scopes or _UNSCOPED in scopes else scopes


def _uri(kind: type[UserId | OrganizationId], value: object) -> str | None:
    """Read a resource URI of Calendly's and write it anew from its identifier; None without one."""
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
