"""uvicorn's HTTP/1.1 protocol with a limit on headers: httptools alone would collect them without end."""

from http import HTTPStatus
from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_BYTES: Final = 64 * 1024
"""How many bytes are read before headers end; more than `guard` accepts once they are read."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection, answered 431 and closed if the headers of a request do not end."""

    _unended = 0
    _in_headers = False

    @override
    def data_received(self, data: bytes) -> None:
        # The chunk in which headers begin may also hold other data, so only later chunks are
        # counted.
        began_before = self._in_headers
        super().data_received(data)
        self._unended = self._unended + len(data) if began_before and self._in_headers else 0
        if self._unended > _MOST_BYTES and not self.transport.is_closing():
            self._refuse()

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_headers = True

    @override
    def on_headers_complete(self) -> None:
        self._in_headers = False
        super().on_headers_complete()

    def _refuse(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        self.transport.write(head.encode())
        self.transport.close()
