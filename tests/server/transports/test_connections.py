"""Slow, half-open and many connections, over real sockets, with limits of tenths of a second."""

import asyncio
import errno
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from time import monotonic

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from typing_extensions import override

from server.transports.connections import ConnectionLimits
from server.transports.http import serve_http
from server.transports.listening import Listener, listen, pass_over_exhaustion


@dataclass
class Running:
    """A server."""

    listener: Listener
    released: asyncio.Event
    sent: asyncio.Event

    async def send(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection and send something on it."""
        reader, writer = await asyncio.open_connection(*self.listener.getsockname())
        writer.write(data)
        return reader, writer

    async def answer_to(self, data: bytes) -> bytes:
        """Send something, and read until the server closes the connection."""
        return await _answer(*await self.send(data))

    async def answer_to_punctual(self, data: bytes) -> bytes:
        """Send something before the connection is accepted, so that none of it is late, and read until it is closed."""
        client = socket.create_connection(self.listener.getsockname())
        client.sendall(data)
        return await _answer(*await asyncio.open_connection(sock=client))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    answer = await _read(reader)
    writer.close()
    return answer


async def _read(reader: asyncio.StreamReader) -> bytes:
    """Read until the end; a connection that was reset ended too."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


def request(path: str, *, body: int | None = None, sent: int = 0) -> bytes:
    """Write a request, whose body may be announced and not be sent."""
    length = "" if body is None else f"Content-Length: {body}\r\n"
    return f"{'GET' if body is None else 'POST'} {path} HTTP/1.1\r\nHost: x\r\n{length}\r\n{'x' * sent}".encode()


@asynccontextmanager
async def running(limits: ConnectionLimits) -> AsyncGenerator[Running]:
    """Serve an application that reads a body, waits until it is released, or answers with very much."""
    released, sent = asyncio.Event(), asyncio.Event()
    closing = {"Connection": "close"}

    async def read(request: Request) -> Response:
        return PlainTextResponse(f"read {len(await request.body())}", headers=closing)

    async def wait(_request: Request) -> Response:
        await released.wait()
        return PlainTextResponse("waited", headers=closing)

    async def much(_request: Request) -> Response:
        async def chunks() -> AsyncGenerator[bytes]:
            for _ in range(1024):
                yield b"x" * 65_536
            sent.set()

        return StreamingResponse(chunks())

    routes = [Route(path, answer, methods=["GET", "POST"]) for path, answer in (("/", read), ("/wait", wait))]
    app = Starlette(routes=[*routes, Route("/much", much)])
    with listen("127.0.0.1", 0) as (listener, _):
        serving = asyncio.create_task(serve_http(app, listener, "ready", 0.1, limits))
        try:
            yield Running(listener, released, sent)
        finally:
            released.set()
            signal.raise_signal(signal.SIGTERM)
            await serving


async def test_a_connection_that_comes_as_the_server_stops_is_closed_too(caplog: pytest.LogCaptureFixture) -> None:
    async with running(ConnectionLimits(headers=60)) as server:
        await server.answer_to(request("/"))  # it serves
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        with socket.create_connection(server.listener.getsockname()) as late:
            busy_until = monotonic() + 0.15  # longer than until uvicorn looks: it accepts and stops in one turn
            while monotonic() < busy_until:
                pass
            reader, writer = await asyncio.open_connection(sock=late)
            async with asyncio.timeout(5):
                assert await _read(reader) == b""
            writer.close()
    assert "shutdown exceeded" not in caplog.text


@pytest.mark.requirement("slow-connections")
async def test_what_takes_too_long_is_answered_408_or_closed_and_what_is_whole_is_answered() -> None:
    async with running(ConnectionLimits(headers=0.2, body=0.2)) as server:
        cases = {
            b"": b"",
            b"GET / HT": b"HTTP/1.1 408",
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ": b"HTTP/1.1 408",
            request("/", body=10): b"HTTP/1.1 408",
            request("/", body=10, sent=5): b"HTTP/1.1 408",
            request("/", body=10, sent=10): b"HTTP/1.1 200",
            request("/"): b"HTTP/1.1 200",
        }
        answers = await asyncio.gather(*map(server.answer_to_punctual, cases))
    assert [answer[:12] for answer in answers] == list(cases.values())


@pytest.mark.requirement("slow-connections")
async def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async with running(ConnectionLimits(unread=0.2)) as server, asyncio.timeout(20):
        with socket.create_connection(server.listener.getsockname()) as client:
            client.sendall(request("/much"))
            await server.sent.wait()


@pytest.mark.requirement("many-connections")
async def test_of_too_many_connections_the_oldest_that_waits_goes_and_a_busy_one_stays() -> None:
    async with running(ConnectionLimits(per_address=3)) as server:
        busy = [await server.send(request("/wait")) for _ in range(2)]
        half_open = [await server.send(b"GET / HT") for _ in range(20)]
        assert b"read 0" in await server.answer_to(request("/"))
        assert [await _read(reader) for reader, _ in half_open[:18]] == [b""] * 18
        busy.append(await server.send(request("/wait")))
        assert (await server.answer_to(request("/")))[:12] == b"HTTP/1.1 503"
        server.released.set()
        assert all([b"waited" in await _read(reader) for reader, _ in busy])
        for _, writer in (*busy, *half_open):
            writer.close()


@pytest.mark.requirement("many-connections")
async def test_a_trusted_proxy_has_connections_for_everybody() -> None:
    async with running(ConnectionLimits(per_address=1, trusted=(ip_network("127.0.0.0/8"),))) as server:
        busy = [await server.send(request("/wait")) for _ in range(5)]
        server.released.set()
        assert all([b"waited" in await _read(reader) for reader, _ in busy])
        for _, writer in busy:
            writer.close()


class _Exhausted(Listener):
    """A listener of a process that has no file descriptor left for a while."""

    def __init__(self) -> None:
        super().__init__(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.tried = 0
        self.tried_again = asyncio.Event()

    @override
    def accept(self) -> tuple[socket.socket, object]:
        self.tried += 1
        if self.tried == len(("it fails", "it rests", "it fails again")):
            self.tried_again.set()
        return super().accept()

    def _accept(self) -> tuple[int, object]:
        raise OSError(errno.EMFILE, "Too many open files")


@pytest.mark.requirement("descriptors-exhausted")
async def test_out_of_file_descriptors_the_accept_loop_rests_and_one_line_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(pass_over_exhaustion)
    with _Exhausted() as listener:
        listener.bind(("127.0.0.1", 0))
        server = await loop.create_server(asyncio.Protocol, sock=listener, backlog=2048)
        with socket.create_connection(listener.getsockname()):
            await asyncio.wait_for(listener.tried_again.wait(), 20)
        server.close()
    [line] = caplog.messages
    assert line.startswith("no connection can be accepted (Too many open files)")
    assert "ulimit -n" in line
