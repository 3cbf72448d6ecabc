"""A host of callbacks: real TLS on loopback, found under the public address of its name."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final, cast

import httpcore2
from typing_extensions import override

from auth.grants.public_network import IPAddress, PublicNetwork
from events.outgoing.callbacks import PATIENCE, CallbackPoster
from tests.certificates import self_signed

HOST: Final = "connectors.example"
ADDRESS: Final = "93.184.216.34"

NEVER_ENDS: Final = b"..."
"""An answer that ends with this does not end."""

DRIPS: Final = b"~~~"
"""An answer that ends with this goes on byte by byte."""


@dataclass(frozen=True)
class Received:
    """A post that arrived; the names of headers are in lower case."""

    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        """What its body says."""
        content: dict[str, Any] = json.loads(self.body)
        return content


def answer(body: bytes = b"{}", status: str = "200 OK", more: Iterable[str] = ()) -> bytes:
    """Write an HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def repeating(received: Received) -> bytes:
    """Answer as a good callback does: a challenge with itself, all else with nothing."""
    challenge = received.content.get("challenge")
    return answer(json.dumps({"challenge": challenge}).encode() if challenge else b"")


@dataclass
class CallbackHost:
    """What answers, and what it was sent. `addresses` are what its name resolves to, one list for each question."""

    port: int
    trust: ssl.SSLContext
    answers: Callable[[Received], bytes] = repeating
    received: list[Received] = field(default_factory=list[Received])
    connected_to: list[str] = field(default_factory=list[str])
    addresses: list[list[str]] = field(default_factory=lambda: [[ADDRESS]])
    arrivals: asyncio.Queue[Received] = field(default_factory=asyncio.Queue[Received])

    def poster(
        self,
        tls: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
        now: Callable[[], datetime] = lambda: datetime(2026, 12, 1, tzinfo=UTC),
    ) -> CallbackPoster:
        """Make a poster whose wire ends here."""
        wire = _Wire(self)
        return CallbackPoster(
            network=PublicNetwork(self._resolve, wire),
            listed_network=wire,
            tls=lambda: tls or self.trust,
            agent="calendly-mcp/0",
            now=now,
            random=lambda size: bytes(range(size)),
            patience=patience,
        )

    async def _resolve(self, _host: str, _port: int) -> list[IPAddress]:
        answered = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [ip_address(address) for address in answered]


class _Wire(httpcore2.AsyncNetworkBackend):
    """Leads every address to the host of the test."""

    def __init__(self, host: CallbackHost) -> None:
        self._host = host
        self._network = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self._host.connected_to.append(f"{host}:{port}")
        return await self._network.connect_tcp("127.0.0.1", self._host.port, timeout)


@asynccontextmanager
async def callback_host(folder: Path) -> AsyncGenerator[CallbackHost]:
    """Run a host whose certificate is for HOST; what it needs is kept in `folder`."""
    context = self_signed(folder, HOST)
    async with _running(context, ssl.create_default_context(cafile=str(folder / "server.pem"))) as host:
        yield host


@asynccontextmanager
async def plain_callback_host() -> AsyncGenerator[CallbackHost]:
    """Run a host on loopback without TLS, as an operator may list one."""
    async with _running(None, ssl.create_default_context()) as host:
        yield host


@asynccontextmanager
async def _running(context: ssl.SSLContext | None, trust: ssl.SSLContext) -> AsyncGenerator[CallbackHost]:
    hosts: list[CallbackHost] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await _serve(hosts[0], reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        hosts.append(CallbackHost(server.sockets[0].getsockname()[1], trust))
        yield hosts[0]


async def _serve(host: CallbackHost, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    received = Received(first.split()[1], headers, await reader.readexactly(int(headers["content-length"])))
    host.received.append(received)
    host.arrivals.put_nowait(received)
    text = host.answers(received)
    writer.write(text.removesuffix(NEVER_ENDS).removesuffix(DRIPS))
    if text.endswith(NEVER_ENDS):
        await reader.read()
    while text.endswith(DRIPS):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0)
