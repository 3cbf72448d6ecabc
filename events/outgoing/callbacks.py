"""One signed post to a callback, and the challenge that proves who is there.

A callback's URL comes from an agent, so a post is limited: to the addresses that `network` connects
to, with a verified certificate, without redirects, proxies, cookies, decompression or a connection
that is used twice, 10 seconds in all, and at most 64 KiB of the answer read. What went wrong is told
in one word out of few, so that it says nothing about a network; the log says more.
"""

import base64
import json
import logging
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, cast

import anyio
import httpcore2
from typing_extensions import override

from events.outgoing.callback_urls import CallbackUrl
from events.outgoing.retrying import outcome, retry_after
from events.outgoing.standard_webhooks import signed
from events.outgoing.wire import SUBSCRIPTION_HEADER, VERIFICATION, EventsRefusal, Meaning, control_message_id

PATIENCE: Final = 10.0
"""How long a post may take, in seconds."""

_TIMEOUTS: Final = {"timeout": {"connect": 5.0}}
_MOST_READ: Final = 64 * 1024
_MOST_SHOWN: Final = 4 * 1024
_CHALLENGE_BYTES: Final = 32
_ID_BYTES: Final = 16
_FAULTS: Final = (httpcore2.ProtocolError, httpcore2.NetworkError, httpcore2.TimeoutException, OSError, ValueError)

_UNPROVED: Final = "The callback did not prove that it wants events."
_ADVICE: Final = {
    "connection_refused": "It could not be reached at a public address: check its name and its firewall.",
    "timeout": f"It did not answer within {PATIENCE:g} seconds: answer first, and work afterwards.",
    "tls_error": "Its certificate could not be verified: renew it, or send the whole chain.",
    "http_4xx": "It did not answer with a status of 200 to 299: check its path, and that it does not redirect.",
    "http_5xx": "It failed: look into its log, and subscribe again.",
    "challenge_failed": 'It has to answer the message of type verification with {"challenge": ...}, as it was sent.',
}

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What came of one post.

    Attributes:
        status: The answer's, None where there was none.
        error: One of `connection_refused`, `timeout`, `tls_error`, `http_4xx`, `http_5xx`; None when it arrived.
        asked_for: How long `Retry-After` asks to wait.
        body: The first 4 KiB of the answer, where they were wanted.
    """

    status: int | None
    error: str | None
    asked_for: timedelta | None = None
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who a post is for.

    Attributes:
        to: Where to.
        secrets: What signs it, the present one first.
        subscription: The id of the subscription.
    """

    to: CallbackUrl
    secrets: Sequence[str] = field(repr=False)
    subscription: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CallbackPoster:
    """Posts to callbacks.

    Attributes:
        network: Connects to where a stranger's URL may lead.
        listed_network: Connects to what the operator lists.
        tls: Says whom to trust, when there is something to post: the certificates take memory.
        agent: The `User-Agent`.
        now: The present.
        random: Makes unpredictable bytes.
        patience: How long a post may take, in seconds.
    """

    network: httpcore2.AsyncNetworkBackend
    listed_network: httpcore2.AsyncNetworkBackend
    tls: Callable[[], ssl.SSLContext]
    agent: str
    now: Callable[[], datetime]
    random: Callable[[int], bytes]
    patience: float = PATIENCE

    async def post(self, to: Addressee, message: str, body: bytes, *, reads: bool = False) -> CallbackAnswer:
        """Post a message once.

        Args:
            to: Who it is for.
            message: Its id.
            body: What it says, as JSON.
            reads: Whether the answer's body is wanted.
        """
        headers = {
            "Content-Type": "application/json",
            "User-Agent": self.agent,
            SUBSCRIPTION_HEADER: to.subscription,
            **signed(message, int(self.now().timestamp()), body, to.secrets),
        }
        try:
            with anyio.fail_after(self.patience):
                return await self._exchange(to.to, headers, body, reads=reads)
        except (TimeoutError, *_FAULTS) as fault:
            error = _word_for(fault)
            _log.info("a post to %s failed: %s (%s)", to.to.host, error, type(fault).__name__)
            return CallbackAnswer(None, error)

    async def control(self, to: Addressee, content: Mapping[str, Any], *, reads: bool = False) -> CallbackAnswer:
        """Post a message that is no event; `content` names its `type`."""
        return await self.post(
            to, control_message_id(content["type"], self.random(_ID_BYTES)), compact(content), reads=reads
        )

    async def challenge(self, to: Addressee) -> None:
        """Have a callback prove that it wants our posts: it answers with what it is sent.

        Raises EventsRefusal, CallbackEndpointError.
        """
        expected = base64.urlsafe_b64encode(self.random(_CHALLENGE_BYTES)).decode().rstrip("=")
        answer = await self.control(to, {"type": VERIFICATION, "challenge": expected}, reads=True)
        reason = answer.error or (None if _repeats(answer.body, expected) else "challenge_failed")
        if reason is not None:
            raise EventsRefusal(Meaning.CALLBACK_ENDPOINT_ERROR, f"{_UNPROVED} {_ADVICE[reason]}", {"reason": reason})

    async def _exchange(
        self, to: CallbackUrl, headers: Mapping[str, str], body: bytes, *, reads: bool
    ) -> CallbackAnswer:
        network = _Bounded(self.listed_network if to.is_listed else self.network)
        async with (
            httpcore2.AsyncConnectionPool(ssl_context=self.tls(), network_backend=network) as pool,
            pool.stream("POST", to.url, headers=[*headers.items()], content=body, extensions=_TIMEOUTS) as answer,
        ):
            told = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
            asked_for = retry_after(told.decode("latin-1"), self.now())
            shown = await _beginning(answer) if reads else b""
            error = None if outcome(answer.status) == "arrived" else _word_for_status(answer.status)
            return CallbackAnswer(answer.status, error, asked_for, shown)


def compact(content: Mapping[str, Any]) -> bytes:
    """Return JSON without spaces, as it is signed and sent."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


async def _beginning(answer: httpcore2.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_stream():
        body += chunk
        if len(body) > _MOST_SHOWN:
            break
    return bytes(body[:_MOST_SHOWN])


def _repeats(body: bytes, expected: str) -> bool:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and cast("dict[str, object]", answer).get("challenge") == expected


def _word_for(fault: BaseException) -> str:
    if isinstance(fault, TimeoutError | httpcore2.TimeoutException):
        return "timeout"
    cause: BaseException | None = fault
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "tls_error"
        cause = cause.__cause__ or cause.__context__
    return "connection_refused"


def _word_for_status(status: int) -> str:
    """Return the word for a status; a redirect is an answer that somebody has to mend, as of 400 to 499."""
    return "http_5xx" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "http_4xx"


class _Bounded(httpcore2.AsyncNetworkBackend):
    """Connects through another network, and reads no more than 64 KiB of a connection."""

    def __init__(self, network: httpcore2.AsyncNetworkBackend) -> None:
        self._network = network

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        return _BoundedStream(await self._network.connect_tcp(host, port, timeout, local_address, socket_options))


class _BoundedStream(httpcore2.AsyncNetworkStream):
    """A connection of which at most 64 KiB are read."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = _MOST_READ

    @override
    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._left <= 0:
            raise httpcore2.ReadError("the answer is too long")
        content = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(content)
        return content

    @override
    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    @override
    async def aclose(self) -> None:
        await self._stream.aclose()

    @override
    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        return _BoundedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    @override
    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
