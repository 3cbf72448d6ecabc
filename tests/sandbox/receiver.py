"""A receiver of webhooks: a small HTTP server that stores requests and answers a given status."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

PATIENCE = 60  # seconds to wait for a delivery before the test fails


@dataclass(frozen=True)
class Delivery:
    """A request that was received."""

    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> Any:  # noqa: ANN401  # whatever JSON holds
        """Return the JSON body."""
        return json.loads(self.body)


def is_signed(delivery: Delivery, key: str) -> bool:
    """Verify a signature as Calendly's documentation describes."""
    parts = dict(part.split("=") for part in delivery.headers["calendly-webhook-signature"].split(","))
    expected = hmac.new(key.encode(), parts["t"].encode() + b"." + delivery.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(parts["v1"], expected)


@dataclass
class Receiver:
    """Receives deliveries in order, and answers them with `status`."""

    url: str = ""
    status: int = 200
    deliveries: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue[Delivery])

    async def next(self) -> Delivery:
        """Wait for a delivery."""
        return await asyncio.wait_for(self.deliveries.get(), PATIENCE)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read one request, answer it and close."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()
        await writer.wait_closed()
        self.deliveries.put_nowait(Delivery(headers, body))


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """Listen on a free port of this machine."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    async with server:
        receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        yield receiver
