"""A wire between the product and a server that can be made to swallow everything, as a network does that has died."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Wire:
    """What connects; `silent` drops every byte without closing anything."""

    port: int = 0
    silent: bool = False
    writers: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one direction until it ends."""
        try:
            while data := await reader.read(65536):
                if not self.silent:
                    writer.write(data)
        except OSError:
            pass
        finally:
            writer.close()


@asynccontextmanager
async def wire_to(server_port: int) -> AsyncGenerator[Wire]:
    """Listen on a port of our own and connect whoever comes to a port on loopback."""
    wire = Wire()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", server_port)
        wire.writers += [writer, far_writer]
        await asyncio.gather(wire.pass_on(reader, far_writer), wire.pass_on(far_reader, writer))

    listener = await asyncio.start_server(connect, "127.0.0.1", 0)
    wire.port = int(listener.sockets[0].getsockname()[1])
    try:
        yield wire
    finally:
        listener.close()
        for writer in wire.writers:
            writer.close()
        await listener.wait_closed()
