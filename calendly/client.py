"""Sends requests to Calendly: paced, shared, and retried where that is safe."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from re import compile as pattern
from typing import Any, Final

import httpx2

from calendly.errors import (
    CalendlyError,
    InvalidArgument,
    OutcomeUnknown,
    RateLimited,
    Unauthenticated,
    Unreachable,
)
from calendly.pacing.account_queue import Waiting
from calendly.pacing.pacer import Pacer, Turn
from calendly.reading import judge
from calendly.redaction import without_token
from calendly.request import JSON, Account, Request
from calendly.retries import pause_before_retry
from calendly.sharing import InFlight, SharedAnswer, SharedReads

LARGEST_ANSWER: Final = 4 * 1024 * 1024

_LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=20.0)
_TIMEOUT: Final = httpx2.Timeout(30.0, connect=5.0)

_NOT_CONNECTED: Final = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)

PAST_PROXIES: Final[Mapping[str, httpx2.AsyncBaseTransport | None]] = dict.fromkeys(
    ("all://127.0.0.0/8", "all://[::1]", "all://localhost")
)
"""The addresses of this machine as `mounts` of a client, so that no proxy is used for them."""

# Visible ASCII (RFC 9110, 5.5). Other characters could end the header or be quoted in an error.
_TOKEN: Final = pattern(r"[\x21-\x7e]+")


def open_http(version: str, *, timeout: httpx2.Timeout = _TIMEOUT) -> httpx2.AsyncClient:
    """Open the one HTTP client of a process: HTTP/1.1, TLS verified, redirects not followed.

    Proxies come from the environment, except for addresses of this machine. It keeps no cookies, as all
    accounts share it.

    Args:
        version: Version of the product, for the User-Agent.
        timeout: Seconds without progress after which a step fails.
    """
    return httpx2.AsyncClient(
        headers={"User-Agent": f"calendly-mcp-server/{version}", "Accept": "application/json"},
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        timeout=timeout,
        limits=_LIMITS,
        follow_redirects=False,
        mounts=PAST_PROXIES,
    )


class Calendly:
    """The client for Calendly's API, for all accounts of a process.

    Args:
        http: From `open_http`. Its opener closes it.
        origin: Where requests go, such as `https://api.calendly.com`.
        pacer: The pace of every account.
        clock: Seconds that only move forward. Deadlines are on it.
        sleep: Waits seconds.
        random: Returns a number in [0, 1).
    """

    def __init__(  # noqa: PLR0913 - everything that reaches outside is a parameter
        self,
        http: httpx2.AsyncClient,
        *,
        origin: str,
        pacer: Pacer,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        random: Callable[[], float],
    ) -> None:
        self._http = http
        self._origin = origin
        self._pacer = pacer
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._reads = SharedReads(clock)

    def require_room(self, account: Account, *, deadline: float) -> None:
        """Raise RateLimited if the ceilings of bookings would refuse one sent now."""
        self._pacer.require_room(account, deadline=deadline)

    def per_minute(self, account: Account) -> int:
        """Return how many calls a minute an account may make, as far as is known."""
        return self._pacer.per_minute(account.user)

    async def send(
        self, request: Request, account: Account, *, deadline: float, waiting: Waiting | None = None
    ) -> JSON:
        """Send a request and return Calendly's answer, `{}` for one without an object.

        Cancelling the caller cancels the request, unless others share the read.

        Args:
            request: The request.
            account: On whose behalf.
            deadline: When the caller needs an answer or an error, on the clock.
            waiting: Receives progress while the request waits for its turn.

        Raises:
            CalendlyError: See `calendly.errors`.
        """
        in_flight = InFlight(deadline, [waiting] if waiting else [])
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                if not request.is_read:
                    return await self._write(request, account, in_flight)
                if account.is_patient:  # whoever shared the read would have to be as patient
                    return (await self._complete(request, account, in_flight)).take()
                return await self._read(request, account, deadline, waiting)
        except TimeoutError:
            raise _without_answer(
                request, in_flight, "There was no answer from Calendly within the time limit"
            ) from None

    async def _read(self, request: Request, account: Account, deadline: float, waiting: Waiting | None) -> JSON:
        async def fetch(in_flight: InFlight) -> SharedAnswer:
            return await self._complete(request, account, in_flight)

        return await self._reads.read(account.user, request, fetch, deadline=deadline, waiting=waiting)

    async def _write(self, request: Request, account: Account, in_flight: InFlight) -> JSON:
        # Before: no read that is now in flight is cached. After: no later read joins one from meanwhile.
        self._reads.forget(account.user)
        try:
            return (await self._complete(request, account, in_flight)).take()
        finally:
            self._reads.forget(account.user)

    async def _complete(self, request: Request, account: Account, in_flight: InFlight) -> SharedAnswer:
        """Try until there is an answer, or another try would be wrong."""
        tries, refreshed, failure = 0, False, None
        while True:
            try:
                return await self._try(request, account, in_flight)
            except Unauthenticated as refusal:
                if refreshed or refusal.status is None or not await account.credentials.refresh():
                    raise
                refreshed = True
            except CalendlyError as latest:
                if failure is not None and isinstance(latest, RateLimited) and latest.status is None:
                    raise failure from latest  # the first error says more than the lack of time
                failure, tries = latest, tries + 1
                pause = pause_before_retry(
                    failure, tries=tries, now=self._clock(), deadline=in_flight.deadline, random=self._random()
                )
                if pause is None:
                    raise
                await self._sleep(pause)

    async def _try(self, request: Request, account: Account, in_flight: InFlight) -> SharedAnswer:
        async with self._pacer.turn(
            account, is_booking=request.is_booking, deadline=in_flight.deadline, waiting=in_flight.waiting
        ) as turn:
            in_flight.is_sent = False
            try:
                token = _checked(await account.credentials.access_token())
                status, body, retry_after = await self._exchange(request, token, in_flight, turn)
            except httpx2.RequestError as failure:
                in_flight.is_sent = in_flight.is_sent and not isinstance(failure, _NOT_CONNECTED)
                raise _without_answer(request, in_flight, "The connection to Calendly failed") from failure
            except httpx2.InvalidURL as failure:  # not a RequestError
                in_flight.is_sent = False
                raise InvalidArgument("The query of this request is too long to be sent.") from failure
            finally:
                if not in_flight.is_sent:
                    turn.never_sent()
        body = None if body is None else without_token(body, token)
        return SharedAnswer(body or b"", judge(request, status, body, retry_after))

    async def _exchange(
        self, request: Request, token: str, in_flight: InFlight, turn: Turn
    ) -> tuple[int, bytes | None, float | None]:
        """Send the request.

        Return status, body, and the seconds until a repeat makes sense, if they are known.
        """

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            # Through a proxy a connection begins with a CONNECT, which Calendly does not see.
            if event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
                in_flight.is_sent = True

        # Tracing costs time, so only what writes is traced. A read counts as sent unless no connection was made.
        in_flight.is_sent = request.is_read
        async with self._http.stream(
            request.endpoint.method,
            f"{self._origin}{request.path}",
            params=request.parameters or None,
            json=None if request.body is None else {**request.body},
            headers={"Authorization": f"Bearer {token}"},
            extensions={} if request.is_read else {"trace": trace},
        ) as response:
            retry_after = turn.answered(response.status_code, response.headers)
            return response.status_code, await _body(response), retry_after


async def _body(response: httpx2.Response) -> bytes | None:
    """Return the whole body, None if it is too large or does not match its Content-Encoding."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                return None
    except httpx2.DecodingError:
        return None
    except httpx2.TransportError:
        if not response.is_client_error:  # a refusal counts even without its body
            raise
        return None
    return bytes(body)


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated("The access token is empty or has characters that no token has.")
    return token


def _without_answer(request: Request, in_flight: InFlight, what: str) -> Unreachable | OutcomeUnknown:
    if request.is_read or not in_flight.is_sent:
        return Unreachable(f"{what}.")
    return OutcomeUnknown(f"{what} after the request was sent; whether Calendly acted is not known.")
