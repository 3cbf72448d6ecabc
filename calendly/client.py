"""One request to Calendly: paced, shared, sent, repeated where that is safe, answered or raised."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from re import compile as pattern
from typing import Any, Final

import httpx2

from calendly.errors import (
    CalendlyError,
    OutcomeUnknown,
    RateLimited,
    Unauthenticated,
    Unreachable,
)
from calendly.pacing.pacer import Pacer, Turn, Waiting
from calendly.reading import judge
from calendly.request import JSON, Account, Request
from calendly.retries import pause_before_retry
from calendly.sharing import Answer, SharedReads, Trip

LARGEST_ANSWER: Final = 4 * 1024 * 1024

_LIMITS: Final = httpx2.Limits(max_connections=100, max_keepalive_connections=100, keepalive_expiry=20.0)
_TIMEOUT: Final = httpx2.Timeout(30.0, connect=5.0)

# A proxy would look for them on its own machine. A sandbox listens there.
PAST_PROXIES: Final[Mapping[str, httpx2.AsyncBaseTransport | None]] = dict.fromkeys(
    ("all://127.0.0.0/8", "all://[::1]", "all://localhost")
)
"""The addresses of this machine, as the `mounts` of a client that asks them itself whatever proxy is set."""

# Visible ASCII (RFC 9110, 5.5). Anything else could end the header, or come back in an error message that quotes it.
_TOKEN: Final = pattern(r"[\x21-\x7e]+")


def open_http(version: str, *, timeout: httpx2.Timeout = _TIMEOUT) -> httpx2.AsyncClient:
    """Open the one HTTP client of a process: HTTP/1.1, TLS verified, nothing followed.

    Proxies come from the environment, but for the addresses of this machine. It keeps no cookies: all users share it.

    Args:
        version: The product's, for the User-Agent.
        timeout: Seconds without progress after which a step is given up.
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
    """Calendly as one process reaches it, for all its users.

    Args:
        http: From `open_http`; whoever opened it closes it.
        origin: Where requests go, such as `https://api.calendly.com`.
        pacer: The pace of every user.
        clock: Seconds that only move forward; the deadlines are on it.
        sleep: Sleeps for so many seconds.
        random: In [0, 1).
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
        """Raise RateLimited where a booking would be refused for its ceilings, were it sent now."""
        self._pacer.require_room(account, deadline=deadline)

    async def send(
        self, request: Request, account: Account, *, deadline: float, waiting: Waiting | None = None
    ) -> JSON:
        """Return what Calendly answers: an object, `{}` where it answers without one.

        Cancelling the caller ends the request, unless others wait for the same read.

        Args:
            request: What to ask.
            account: On whose behalf.
            deadline: When the caller needs an answer or an error, on the clock.
            waiting: Told, while the request waits for its turn, in how many seconds it should start.

        Raises:
            CalendlyError: As drawn in `calendly.errors`.
        """
        trip = Trip(deadline, [waiting] if waiting else [])
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                if request.is_read:
                    return await self._read(request, account, deadline, waiting)
                return await self._write(request, account, trip)
        except TimeoutError:
            raise _without_answer(request, trip, "There was no answer from Calendly within the time limit") from None

    async def _read(self, request: Request, account: Account, deadline: float, waiting: Waiting | None) -> JSON:
        async def fetch(trip: Trip) -> Answer:
            return await self._complete(request, account, trip)

        return await self._reads.read(account.user, request, fetch, deadline=deadline, waiting=waiting)

    async def _write(self, request: Request, account: Account, trip: Trip) -> JSON:
        # Before, so that nothing read meanwhile is kept; after, so that nothing asked meanwhile is joined.
        self._reads.forget(account.user)
        try:
            return (await self._complete(request, account, trip)).take()
        finally:
            self._reads.forget(account.user)

    async def _complete(self, request: Request, account: Account, trip: Trip) -> Answer:
        """Try until there is an answer, or another try would be wrong."""
        tries, renewed, failure = 0, False, None
        while True:
            try:
                return await self._try(request, account, trip)
            except Unauthenticated as refusal:
                if renewed or refusal.status is None or not await account.credentials.renew():
                    raise
                renewed = True
            except CalendlyError as latest:
                if failure is not None and isinstance(latest, RateLimited) and latest.status is None:
                    raise failure from latest  # why it had to be tried again says more than that there is no time to
                failure, tries = latest, tries + 1
                pause = pause_before_retry(
                    failure, tries=tries, now=self._clock(), deadline=trip.deadline, random=self._random()
                )
                if pause is None:
                    raise
                await self._sleep(pause)

    async def _try(self, request: Request, account: Account, trip: Trip) -> Answer:
        async with self._pacer.turn(
            account, is_booking=request.is_booking, deadline=trip.deadline, waiting=trip.waiting
        ) as turn:
            trip.is_sent = False
            try:
                token = _checked(await account.credentials.access_token())
                status, body, retry_after = await self._exchange(request, token, trip, turn)
            except httpx2.RequestError as failure:
                raise _without_answer(request, trip, "The connection to Calendly failed") from failure
            finally:
                if not trip.is_sent:
                    turn.never_sent()
        return Answer(body or b"", judge(request, status, body, retry_after))

    async def _exchange(
        self, request: Request, token: str, trip: Trip, turn: Turn
    ) -> tuple[int, bytes | None, float | None]:
        """Send the request; return status, body, and the seconds after which to ask again where that is told."""

        async def trace(event: str, info: Mapping[str, Any]) -> None:
            # Through a proxy the first request of a connection is a CONNECT, which Calendly does not see.
            if event == "http11.send_request_headers.started" and info["request"].method != b"CONNECT":
                trip.is_sent = True

        async with self._http.stream(
            request.endpoint.method,
            f"{self._origin}{request.path}",
            params=request.parameters,
            json=None if request.body is None else {**request.body},
            headers={"Authorization": f"Bearer {token}"},
            extensions={"trace": trace},
        ) as response:
            retry_after = turn.answered(response.status_code, response.headers)
            return response.status_code, await _body(response), retry_after


async def _body(response: httpx2.Response) -> bytes | None:
    """Return the whole body, None when it is too large or not what its Content-Encoding says."""
    body = bytearray()
    try:
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                return None
    except httpx2.DecodingError:
        return None
    except httpx2.TransportError:
        if not response.is_client_error:  # a refusal is one, with or without its words
            raise
        return None
    return bytes(body)


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise Unauthenticated("The access token is empty or has characters that no token has.")
    return token


def _without_answer(request: Request, trip: Trip, what: str) -> Unreachable | OutcomeUnknown:
    if request.is_read or not trip.is_sent:
        return Unreachable(f"{what}.")
    return OutcomeUnknown(f"{what} after the request was sent; whether Calendly acted is not known.")
