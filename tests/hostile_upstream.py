"""An HTTP server on a real socket that does, request by request, what a test tells it: mostly harm.

    async with HostileUpstream.listen() as upstream:
        upstream.will(answer(503, b"<html>"), reset, answer(200, {"resource": {}}))

Each step serves one request. After the last one every request is answered with `upstream.otherwise`.
"""

import asyncio
import gzip
import json
import socket
import ssl
import struct
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    at: float

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def token(self) -> str:
        """The bearer token."""
        return self.headers["authorization"].removeprefix("Bearer ")


@dataclass
class Wire:
    """The server's end of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Drop the connection with RST: closing with a linger of 0 discards whatever is not delivered."""
        connection: socket.socket = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the client has closed the connection."""
        while await self.reader.read(65_536):
            pass


Step = Callable[[Received, Wire], Awaitable[None]]


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """Write a status line and headers."""
    lines = [f"HTTP/1.1 {status} Whatever", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def answer(status: int = 200, body: object = b"", **headers: str) -> Step:
    """Answer as a good server does; a body that is not bytes is sent as JSON. `retry_after="3"` is Retry-After."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def step(_: Received, wire: Wire) -> None:
        await wire.send(
            head(status, {"Content-Type": "application/json", "Content-Length": str(len(data)), **named}) + data
        )

    return step


def late(seconds: float, then: Step) -> Step:
    """Do something else after so many seconds."""

    async def step(request: Received, wire: Wire) -> None:
        await asyncio.sleep(seconds)
        await then(request, wire)

    return step


def raw(data: bytes) -> Step:
    """Send bytes that need not be HTTP, and close."""

    async def step(_: Received, wire: Wire) -> None:
        await wire.send(data)
        wire.writer.close()

    return step


async def reset(_: Received, wire: Wire) -> None:
    """Reset the connection when the request has been read."""
    wire.reset()


async def reset_in_the_body(_: Received, wire: Wire) -> None:
    """Begin a good answer, and reset the connection in the middle of its body."""
    await wire.send(head(200, {"Content-Length": "1000"}) + b'{"resource": {"name"')
    await asyncio.sleep(0.1)
    wire.reset()


async def close_in_the_body(_: Received, wire: Wire) -> None:
    """Begin a good answer, and close the connection in the middle of its body."""
    await raw(head(200, {"Content-Length": "1000"}) + b'{"resource": {"name"')(_, wire)


async def silence(_: Received, wire: Wire) -> None:
    """Read the request and never answer."""
    await wire.gone()


async def silence_in_the_body(_: Received, wire: Wire) -> None:
    """Begin a good answer and never end it."""
    await wire.send(head(200, {"Content-Length": "1000"}) + b'{"resource": {"name"')
    await wire.gone()


def drip(pause: float) -> Step:
    """Send an endless chunked answer, one byte after every pause."""

    async def step(_: Received, wire: Wire) -> None:
        await wire.send(head(200, {"Transfer-Encoding": "chunked"}))
        while not wire.writer.transport.is_closing():
            await wire.send(b"1\r\n \r\n")
            await asyncio.sleep(pause)

    return step


async def flood(_: Received, wire: Wire) -> None:
    """Send an endless chunked answer, as fast as it is taken."""
    await wire.send(head(200, {"Transfer-Encoding": "chunked"}))
    while not wire.writer.transport.is_closing():
        await wire.send(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def gzip_bomb(size: int) -> Step:
    """Send a small answer that inflates to `size` bytes of JSON."""

    async def step(request: Received, wire: Wire) -> None:
        await answer(200, _compressed(size), content_encoding="gzip")(request, wire)

    return step


@cache
def _compressed(size: int) -> bytes:
    return gzip.compress(b'{"resource": "' + b"a" * size + b'"}')


@dataclass
class HostileUpstream:
    """The server.

    Attributes:
        origin: Such as `http://127.0.0.1:40123`.
        requests: What came, in order.
        connections: How many connections were made.
        open_connections: How many of them the client has not closed.
        otherwise: What serves a request when no step is left.
    """

    origin: str = ""
    requests: list[Received] = field(default_factory=list[Received])
    connections: int = 0
    open_connections: int = 0
    otherwise: Step = field(default_factory=lambda: answer(200, {"resource": {}}))
    _steps: deque[Step] = field(default_factory=deque[Step])
    _steps_of_writes: deque[Step] = field(default_factory=deque[Step])
    _refusals: int = 0

    @classmethod
    @asynccontextmanager
    async def listen(cls, tls: ssl.SSLContext | None = None) -> AsyncGenerator["HostileUpstream"]:
        """Listen on a free port of the loopback interface until the context ends; then drop every connection."""
        upstream = cls()
        open_now: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            open_now.add(task)
            upstream.open_connections += 1
            try:
                await upstream._serve(Wire(reader, writer))
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                open_now.discard(task)
                upstream.open_connections -= 1
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
        host, port = server.sockets[0].getsockname()
        upstream.origin = f"{'https' if tls else 'http'}://{host}:{port}"
        try:
            yield upstream
        finally:
            server.close()
            for task in open_now:
                task.cancel()
            await asyncio.gather(*open_now, return_exceptions=True)
            await server.wait_closed()

    def will(self, *steps: Step) -> None:
        """Serve the next requests with these steps, one each."""
        self._steps.extend(steps)

    def will_to_writes(self, *steps: Step) -> None:
        """Serve the next requests that write with these steps, one each, whatever is read in between."""
        self._steps_of_writes.extend(steps)

    def will_reset_on_connect(self, times: int) -> None:
        """Reset the next connections before anything is read from them."""
        self._refusals += times

    @property
    def tokens(self) -> list[str]:
        """The bearer tokens of the requests, in order."""
        return [request.token for request in self.requests]

    async def _serve(self, wire: Wire) -> None:
        self.connections += 1
        if self._refusals:
            self._refusals -= 1
            wire.reset()
            return
        while (request := await _receive(wire.reader)) is not None:
            self.requests.append(request)
            is_write = request.method != "GET" and self._steps_of_writes
            steps = self._steps_of_writes if is_write else self._steps
            step = steps.popleft() if steps else self.otherwise
            await step(request, wire)
            if wire.writer.transport.is_closing():
                return


async def _receive(reader: asyncio.StreamReader) -> Received | None:
    """Read one request; None at the end of the connection."""
    start = await reader.readline()
    if not start:
        return None
    method, target, _ = start.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := (await reader.readline()).decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, target, headers, body, asyncio.get_running_loop().time())
