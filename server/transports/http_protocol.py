"""HTTP/1.1 as uvicorn speaks it with httptools, which by itself would collect a request's headers without end."""

from http import HTTPStatus
from typing import Final

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MOST_BYTES: Final = 64 * 1024
"""Bytes read while a request's headers have no end: more than `guard` lets pass once they are read."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection, closed with an answer when a request line and headers do not come to an end."""

    _unended = 0
    _in_headers = False

    @override
    def data_received(self, data: bytes) -> None:
        # The piece of data in which headers begin may hold more besides, so only the pieces after it are counted.
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
