"""One request to Calendly's authorization server, bounded in time and size; whatever fails is a CalendlyLoginError."""

import asyncio
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import httpx2

from auth.upstream.login import (
    CalendlyLoginError,
    GrantRefused,
    LoginBusy,
    LoginRefused,
    LoginUnavailable,
    LoginUnreachable,
)
from calendly.client import PAST_PROXIES
from calendly.pacing.rate_headers import RateHeaders
from calendly.reading import parse
from calendly.request import JSON

PATIENCE: Final = 10.0
"""How long one exchange may take from the connection to the last byte, in seconds."""

LARGEST_ANSWER: Final = 65_536

# No encoding is accepted: nothing then grows while it is decoded.
_HEADERS: Final = {
    "User-Agent": "calendly-mcp-server",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
}
_WHEN_TO_ASK_AGAIN: Final = ("date", "retry-after", "x-ratelimit-reset")
# Calendly counts requests for tokens by the minute.
_PAUSE: Final = 60.0
# RFC 6749, 4.1.2.1 and 5.2. Any other code is a final refusal.
_KINDS: Final[Mapping[str, type[CalendlyLoginError]]] = {
    "invalid_grant": GrantRefused,
    "server_error": LoginUnavailable,
    "temporarily_unavailable": LoginUnavailable,
}
_CODE_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz_")
_LONGEST_CODE: Final = 40


async def ask(method: str, url: str, *, tls: ssl.SSLContext | None = None, **content: Any) -> httpx2.Response:  # noqa: ANN401 - httpx2's own options
    """Send one request and return its answer, whatever the status. Follows no redirect and keeps nothing.

    Args:
        method: The HTTP method.
        url: Where to.
        tls: Whom to trust; the system's authorities unless given, which take some hundredths of a second to read.
        content: `data`, `json`, `headers` or `auth`, as httpx2 takes them.

    Raises:
        LoginUnreachable: No connection, or no whole answer within PATIENCE.
    """
    try:
        async with (
            asyncio.timeout(PATIENCE),
            httpx2.AsyncClient(
                headers=_HEADERS,
                timeout=PATIENCE,
                verify=tls or httpx2.create_ssl_context(),
                follow_redirects=False,
                mounts=PAST_PROXIES,
            ) as client,
            client.stream(method, url, **content) as response,
        ):
            body = await _body(response)
    except (httpx2.HTTPError, TimeoutError) as error:
        # The cause holds the request, and the request the secrets.
        raise LoginUnreachable(f"Calendly's sign-in cannot be reached ({type(error).__name__}).") from None
    headers = {name: response.headers[name] for name in _WHEN_TO_ASK_AGAIN if name in response.headers}
    return httpx2.Response(response.status_code, headers=headers, content=body)


def is_success(response: httpx2.Response) -> bool:
    """Say whether an answer is a success; one of status 200 may still name an error."""
    return response.is_success and "error" not in (parse(response.content) or {})


def answered(response: httpx2.Response) -> JSON:
    """Return the JSON object of a success. Raises CalendlyLoginError for anything else."""
    answer = parse(response.content)
    if answer is None or not is_success(response):
        raise refusal(response)
    return answer


def refusal(response: httpx2.Response) -> CalendlyLoginError:
    """Return the error that an answer without the wanted object means. Nothing of its text is repeated."""
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


async def _body(response: httpx2.Response) -> bytes:
    """Read the body; one that is too large counts as empty."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            return b""
    return bytes(body)


def _code(value: object) -> str | None:
    """Read an error code. It goes into messages and logs, so it must be as plain as the codes of the RFCs are."""
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_CODE and _CODE_LETTERS.issuperset(value):
        return value
    return None
