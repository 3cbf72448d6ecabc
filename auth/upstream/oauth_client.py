"""Authlib's OAuth client as we use it towards Calendly: bounded in time and size, and failing in our words.

One is made for each errand and keeps nothing afterwards. Authlib's own errors are never seen: they may quote what
Calendly wrote, and a refusal without an `error` would be taken for a token.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, Final

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client
from typing_extensions import override

from auth.upstream.application import Application
from auth.upstream.login import CalendlyLoginError, GrantRefused, LoginBusy, LoginRefused, LoginUnavailable
from calendly.client import PAST_PROXIES
from calendly.pacing.rate_headers import RateHeaders
from calendly.reading import parse
from calendly.request import JSON

PATIENCE: Final = 10.0
"""Seconds for one exchange, from the connection to the last byte."""

LARGEST_ANSWER: Final = 65_536

# What is kept of an answer's headers: when to ask again.
_HEADERS: Final = ("date", "retry-after", "x-ratelimit-reset")
# Calendly counts requests for tokens by the minute.
_PAUSE: Final = 60.0
# RFC 6749, 4.1.2.1 and 5.2; whatever else is refused is refused for good.
_KINDS: Final[Mapping[str, type[CalendlyLoginError]]] = {
    "invalid_grant": GrantRefused,
    "server_error": LoginUnavailable,
    "temporarily_unavailable": LoginUnavailable,
}
_CODE_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")
_LONGEST_CODE: Final = 40


class OAuthClient:
    """One errand at Calendly's authorization server; made by `oauth_client`. Every method raises CalendlyLoginError."""

    def __init__(self, authlib: Any) -> None:  # noqa: ANN401 - the stubs of Authlib's methods have no types
        self._authlib = authlib

    def authorization_url(
        self, application: Application, redirect_uri: str, state: str, verifier: str, scopes: Iterable[str]
    ) -> str:
        """Return where to send the browser; of the verifier only the S256 challenge is in it."""
        url: str = self._authlib.create_authorization_url(
            application.authorization_endpoint,
            redirect_uri=redirect_uri,
            state=state,
            code_verifier=verifier,
            scope=" ".join(scopes),
        )[0]
        return url

    async def redeem(self, application: Application, fields: Mapping[str, str]) -> JSON:
        """Ask the token endpoint for the tokens of a code; `fields` are those of RFC 6749, 4.1.3, and the verifier."""
        return await _token(
            self._authlib.fetch_token(application.token_endpoint, grant_type="authorization_code", **fields)
        )

    async def refresh(self, application: Application, refresh_token: str) -> JSON:
        """Ask the token endpoint for the tokens that follow; the old refresh token where the answer has none."""
        return await _token(self._authlib.refresh_token(application.token_endpoint, refresh_token=refresh_token))

    async def revoke(self, application: Application, token: str, kind: str) -> None:
        """Ask the revocation endpoint (RFC 7009) to end a token; `kind` is its `token_type_hint`."""
        answer: httpx2.Response = await self._authlib.revoke_token(
            application.revocation_endpoint, token=token, token_type_hint=kind
        )
        if not answer.is_success:
            raise refusal(answer)

    async def ask(self, method: str, url: str, **options: Any) -> httpx2.Response:  # noqa: ANN401 - httpx2's own options
        """Send a request that is none of OAuth's, and return its answer whatever that says."""
        response: httpx2.Response = await self._authlib.request(method, url, withhold_token=True, auth=None, **options)
        return response


@asynccontextmanager
async def oauth_client(
    application: Application | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[OAuthClient]:
    """Open a client for one errand: confidential by HTTP Basic with a secret, public without.

    Revocation is the exception: the clients of Calendly that are known to work send id and secret in the body there.

    Args:
        application: Who we are; None for an errand that needs no name.
        tls: Whom to trust, the system's authorities unless given; reading those takes some hundredths of a second.
    """
    secret = application.client_secret if application else None
    async with _Bounded(
        client_id=application.client_id if application else None,
        client_secret=secret,
        code_challenge_method="S256",
        revocation_endpoint_auth_method="client_secret_post" if secret else "none",
        headers={"User-Agent": "calendly-mcp-server", "Accept": "application/json", "Accept-Encoding": "identity"},
        timeout=PATIENCE,
        verify=tls or httpx2.create_ssl_context(),
        follow_redirects=False,
        mounts=PAST_PROXIES,
    ) as authlib:
        client: Any = authlib
        for hook in ("access_token_response", "refresh_token_response"):
            client.register_compliance_hook(hook, _checked)
        yield OAuthClient(client)


def answered(response: httpx2.Response) -> JSON:
    """Return the JSON object of a success. Raises CalendlyLoginError for anything else."""
    answer = parse(response.content)
    if not response.is_success or answer is None or "error" in answer:
        raise refusal(response)
    return answer


def refusal(response: httpx2.Response) -> CalendlyLoginError:
    """Say what an answer without the wanted object means, in no word of its own."""
    report = RateHeaders.read(response.headers)
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        pause = next((pause for pause in (report.retry_after, report.reset) if pause is not None), _PAUSE)
        return LoginBusy(f"Calendly asks to be left alone for {pause:.0f} seconds.", retry_after=pause)
    answer = parse(response.content)
    if answer is None or response.is_server_error:
        reason = f"Calendly's sign-in answered {response.status_code} and nothing that can be read."
        return LoginUnavailable(reason, retry_after=report.retry_after)
    code = _code(answer.get("error"))
    return _KINDS.get(code or "", LoginRefused)(
        f"Calendly's sign-in answered {response.status_code}{f' ({code})' if code else ''}.", code=code
    )


class _Bounded(AsyncOAuth2Client):
    """Authlib's client, whose every request ends in time, with an answer of bounded size, or in LoginUnavailable."""

    @override
    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        ours: dict[str, Any] = {**options, "stream": True, "follow_redirects": False}
        try:
            async with asyncio.timeout(PATIENCE):
                response = await super().send(request, **ours)
                body = await _body(response)
        except (httpx2.HTTPError, TimeoutError) as error:
            # The cause holds the request, and the request the secrets.
            raise LoginUnavailable(f"Calendly's sign-in cannot be reached ({type(error).__name__}).") from None
        headers = {name: response.headers[name] for name in _HEADERS if name in response.headers}
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                return b""
    finally:
        await response.aclose()
    return bytes(body)


def _checked(response: httpx2.Response) -> httpx2.Response:
    """Let Authlib read only what is a success."""
    answered(response)
    return response


def _code(value: object) -> str | None:
    """Read an error code, as plain as those of the RFCs are: it goes into messages and logs."""
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_CODE and _CODE_LETTERS.issuperset(value):
        return value
    return None


async def _token(answer: Awaitable[JSON]) -> JSON:
    try:
        return await answer
    except (ValueError, TypeError):  # Authlib calculates with what is said of the token's life
        raise LoginUnavailable("Calendly's token answer could not be read.") from None
