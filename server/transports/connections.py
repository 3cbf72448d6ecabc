"""uvicorn's HTTP/1.1 protocol with limits: on headers, on bodies, on unread answers, and on connections.

A connection that nothing is being answered on waits: for headers, for a body, or for the next request. Where there are
too many connections, the oldest that waits is closed, so that half-open ones never keep a request out.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from auth.protocol.addresses import Networks, is_within, neighbourhood

_MOST_BYTES: Final = 64 * 1024
"""How many bytes are read before headers end; more than `guard` accepts once they are read."""

_LEFT_FOR_OTHERS: Final = 96
"""The file descriptors that connections leave to the database, to Calendly and to files."""

_FEWEST: Final = 32
_MOST: Final = 10_000


def limit_of_open_files() -> int | None:
    """Return how many files and connections a process may have open; None on a system without such a limit."""
    try:
        import resource  # noqa: PLC0415 - Windows has none
    except ImportError:
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _connection_limit() -> int:
    limit = limit_of_open_files()
    return _MOST if limit is None else min(_MOST, max(_FEWEST, limit - _LEFT_FOR_OTHERS))


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a client may take of the server. Times are in seconds.

    Attributes:
        headers: How long headers may take, from the connection or their first byte.
        body: How long a body may take, from the end of the headers.
        unread: How long a client may leave an answer unread.
        per_address: The connections of one address. IPv6 addresses of one /64 count as one.
        total: The connections of all.
        trusted: The networks of proxies, which have connections for everybody.
    """

    headers: float = 10.0
    body: float = 30.0
    unread: float = 60.0
    per_address: int = 256
    total: int = field(default_factory=_connection_limit)
    trusted: Networks = ()


class OpenConnections:
    """The open connections of a server, in the order in which they came."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self._open: dict[BoundedProtocol, str] = {}
        self._of_address: Counter[str] = Counter()

    def admit(self, new: "BoundedProtocol", peer: str) -> bool:
        """Take a new connection in, if need be in place of one that waits. False when it has to go."""
        address = "" if is_within(peer, self.limits.trusted) else neighbourhood(peer)
        crowded = address != "" and self._of_address[address] >= self.limits.per_address
        if (crowded or len(self._open) >= self.limits.total) and not self._make_room(address if crowded else None):
            return False
        self._open[new] = address
        self._of_address[address] += 1
        return True

    def drop(self, gone: "BoundedProtocol") -> None:
        """Forget a connection."""
        address = self._open.pop(gone, None)
        if address is not None:
            self._of_address[address] -= 1
            if not self._of_address[address]:
                del self._of_address[address]

    def _make_room(self, address: str | None) -> bool:
        """Close the oldest connection that waits, of one address if it is given. False when all are busy."""
        waiting = (each for each, its in self._open.items() if each.waits and address in {None, its})
        oldest = next(waiting, None)
        if oldest is None:
            return False
        self.drop(oldest)
        oldest.end()
        return True


class BoundedProtocol(HttpToolsProtocol):
    """One connection. What takes too long is answered 408 and closed, headers without an end 431."""

    def __init__(self, *args: Any, open_connections: OpenConnections, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._all = open_connections
        self._unended = 0
        self._in_headers = False
        self._in_message = False
        self._asked = False
        self._timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether the client has to do something next, not this server."""
        return self._is_idle or (self._in_message and not self._in_headers and not self.cycle.response_started)

    @property
    def _is_idle(self) -> bool:
        return not self._asked or self.cycle.response_complete

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if not self._all.admit(self, self.client[0] if self.client else "unknown"):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._within(self._all.limits.headers)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._all.drop(self)
        self._within(None)
        self.resume_writing()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        # The chunk in which headers begin may also hold other data, so only later chunks are
        # counted.
        began_before = self._in_headers
        super().data_received(data)
        self._unended = self._unended + len(data) if began_before and self._in_headers else 0
        if self._unended > _MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers = self._in_message = True
        self._within(self._all.limits.headers)

    @override
    def on_headers_complete(self) -> None:
        self._in_headers = False
        self._within(self._all.limits.body)
        super().on_headers_complete()
        self._asked = True

    @override
    def on_message_complete(self) -> None:
        self._in_message = False
        self._within(None)
        super().on_message_complete()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread_timer = self.loop.call_later(self._all.limits.unread, self.transport.abort)

    @override
    def resume_writing(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None
        super().resume_writing()

    def end(self) -> None:
        """Close the connection, whether or not its client reads what is left."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _within(self, seconds: float | None) -> None:
        """Limit the client's next step to a number of seconds, None for no limit."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._expire)

    def _expire(self) -> None:
        if not self._in_message:  # nothing ever came
            self.end()
        elif self.waits:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        elif not self._in_headers:  # answered before the body was there
            self.end()

    def _refuse(self, status: HTTPStatus) -> None:
        if self.transport.is_closing():
            return
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()


def bounded(limits: ConnectionLimits) -> Callable[..., BoundedProtocol]:
    """Return what makes the protocol of each connection of one server."""
    everybody = OpenConnections(limits)

    def protocol(*args: Any, **kwargs: Any) -> BoundedProtocol:  # noqa: ANN401 - uvicorn's own
        return BoundedProtocol(*args, open_connections=everybody, **kwargs)

    return protocol
