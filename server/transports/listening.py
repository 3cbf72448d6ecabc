"""The listening socket, which rests while the process is out of file descriptors."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import Generator
from contextlib import contextmanager
from time import monotonic
from typing import Any, Final

from typing_extensions import override

from server.configuration.terminal import cannot_listen
from server.configuration.values import http_address
from server.transports.connections import limit_of_open_files

_EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_REST: Final = 0.9
"""How long nothing is accepted, in seconds. asyncio comes back after one second."""
_QUIET: Final = 60.0
"""How long there has to be room before its end is worth another line, in seconds."""

_TOLD: Final = (
    "no connection can be accepted (%s); those that wait are tried each second. This process may have %s files and "
    "connections open, and `ulimit -n` allows it more."
)

_log: Final = logging.getLogger(__name__)


class Listener(socket.socket):
    """A listening socket. asyncio tries it as often as its backlog is long, and logs each failure with a traceback."""

    _rests_until = 0.0
    _exhausted_at: float | None = None

    @override
    def accept(self) -> tuple[socket.socket, Any]:
        """Accept a connection. Raises BlockingIOError while it rests."""
        if monotonic() < self._rests_until:
            raise BlockingIOError
        try:
            accepted = super().accept()
        except OSError as fault:
            if fault.errno in _EXHAUSTED:
                self._rest(fault)
            raise
        if self._exhausted_at is not None and monotonic() > self._exhausted_at + _QUIET:
            self._exhausted_at = None
            _log.warning("connections are accepted again")
        return accepted

    def _rest(self, fault: OSError) -> None:
        self._rests_until = monotonic() + _REST
        if self._exhausted_at is None:
            _log.warning(_TOLD, fault.strerror, limit_of_open_files())
        self._exhausted_at = monotonic()


@contextmanager
def listen(host: str, port: int) -> Generator[tuple[Listener, str]]:
    """Listen on an address. Yields the socket and the address as a URL. Raises CommandError if that fails."""
    # asyncio switches Nagle's algorithm off only on a socket whose protocol is TCP. With Nagle,
    # answers wait 40 ms.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with Listener(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        try:
            if os.name == "posix":  # elsewhere two programs could share the port
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen()
        except (OSError, UnicodeError) as fault:
            raise cannot_listen(host, port, fault) from None
        yield listener, http_address(host, listener.getsockname()[1])


def pass_over_exhaustion(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Handle what asyncio reports: all but what the listener has told in one line."""
    fault = context.get("exception")
    if not (isinstance(fault, OSError) and fault.errno in _EXHAUSTED and "socket" in context):
        loop.default_exception_handler(context)
