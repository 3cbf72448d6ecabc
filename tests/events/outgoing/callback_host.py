"""A host of callbacks: real TLS on loopback, found under the public address of its name."""

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from events.outgoing.callbacks import PATIENCE, CallbackPoster
from tests.certificates import self_signed
from tests.public_host import NEVER_ENDS, PublicHost, Wire

HOST: Final = "connectors.example"

DRIPS: Final = b"~~~"
"""An answer that ends with this goes on, a few bytes at a time."""


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
class CallbackHost(PublicHost):
    """What answers, and what it was sent."""

    answers: Callable[[Received], bytes] = repeating
    received: list[Received] = field(default_factory=list[Received])
    arrivals: asyncio.Queue[Received] = field(default_factory=asyncio.Queue[Received])

    def poster(
        self,
        tls: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
        now: Callable[[], datetime] = lambda: datetime(2026, 12, 1, tzinfo=UTC),
    ) -> CallbackPoster:
        """Make a poster whose wire ends here."""
        return CallbackPoster(
            network=self.network,
            listed_network=Wire(self),
            tls=lambda: tls or self.trust,
            agent="calendly-mcp/0",
            now=now,
            random=lambda size: bytes(range(size)),
            patience=patience,
        )


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
        writer.write(b" " * 8)
        await writer.drain()
        await asyncio.sleep(0)
