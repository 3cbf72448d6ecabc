"""Runs a sandbox on a local socket, in the current event loop."""

import asyncio
import os
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import create_app
from sandbox.requests.gate import CLOSE
from sandbox.state.clock import RealNow, Sleep, utc_now
from sandbox.state.sandbox import Sandbox


@dataclass(frozen=True)
class RunningSandbox:
    """A sandbox that accepts requests.

    Attributes:
        url: Where it listens, without a trailing slash.
        sandbox: Its state.
    """

    url: str
    sandbox: Sandbox


class _ClosableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, with an ASGI extension that closes the connection without a response."""

    @override
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        answer = cast("ASGIApp", self.app)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            scope.setdefault("extensions", {})[CLOSE] = self.transport.abort
            await answer(scope, receive, send)

        self.app = app


class _Server(uvicorn.Server):
    """uvicorn's server.

    It leaves signals to the program around it, and sets `answering` when it is ready.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = asyncio.Event()

    @override
    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


def _listen(host: str, port: int) -> socket.socket:
    """Listen on an address.

    The socket names its protocol because asyncio sets TCP_NODELAY only where it is TCP. Without
    it each response, written as head and body, waits 40 ms for the client's delayed acknowledgement.

    Raises:
        OSError: The address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":  # elsewhere it lets two programs share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


@asynccontextmanager
async def running(
    host: str = "127.0.0.1", port: int = 0, *, now: RealNow = utc_now, sleep: Sleep = asyncio.sleep
) -> AsyncGenerator[RunningSandbox]:
    """Serve a new sandbox until the block ends.

    Args:
        host: An address of this machine.
        port: The port; 0 takes a free one.
        now: See `create_app`.
        sleep: See `create_app`.

    Raises:
        OSError: The address cannot be used.
    """
    app = create_app(now=now, sleep=sleep)
    sandbox = cast("Sandbox", app.state.sandbox)
    listener = _listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            http=_ClosableProtocol,
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await server.answering.wait()
        taken = cast("int", listener.getsockname()[1])
        shown = f"[{host}]" if ":" in host else host
        yield RunningSandbox(f"http://{shown}:{taken}", sandbox)
    finally:
        sandbox.clock.stop()
        server.should_exit = True
        await serving
