"""Ports that nobody else is given: two tests that share a machine meet on none."""

import socket
import sys
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def kept_port() -> Generator[int]:
    """Choose a port of 127.0.0.1, and keep it until the block is left. Nobody listens on it but who is told of it.

    It is for programs that cannot choose one themselves, and for connections that have to be refused. Linux gives a
    bound port on which nobody listens only to whoever names it and shares its address (SO_REUSEADDR), as asyncio,
    PostgreSQL, `http.server` and Node do. Elsewhere it is free meanwhile.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        port = int(keeper.getsockname()[1])
        if sys.platform != "linux":
            keeper.close()
        yield port
