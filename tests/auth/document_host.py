"""A host of client ID metadata documents: real TLS on loopback, found under the public address of its name."""

import asyncio
import base64
import json
import re
import ssl
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from auth.grants.client_documents import PATIENCE, DocumentFetcher
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from tests.certificates import self_signed
from tests.public_host import NEVER_ENDS, PublicHost

HOST: Final = "client.example"
CLIENT_ID: Final = f"https://{HOST}/oauth/client.json"
DOCUMENT: Final[dict[str, object]] = {
    "client_id": CLIENT_ID,
    "client_name": "Agent with a document",
    "redirect_uris": ["https://agent.example/callback", "http://127.0.0.1/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "none",
}


def answer(
    body: bytes | None = None, *, status: str = "200 OK", kind: str = "application/json", more: Iterable[str] = ()
) -> bytes:
    """Write an HTTP answer, which is DOCUMENT unless it says otherwise."""
    text = json.dumps(DOCUMENT).encode() if body is None else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(text)}", "Connection: close", *more]
    return "\r\n".join([*lines, "", ""]).encode() + text


@dataclass
class DocumentHost(PublicHost):
    """What answers, and what was asked of it."""

    answers: list[bytes] = field(default_factory=lambda: [answer()])
    requests: list[bytes] = field(default_factory=list[bytes])

    def fetcher(
        self,
        tls: ssl.SSLContext | None = None,
        patience: float = PATIENCE,
        proxy: Callable[[str], str | None] = lambda _host: None,
    ) -> DocumentFetcher:
        """Make a fetcher whose wire ends here."""
        return DocumentFetcher(
            self.network, lambda: tls or self.trust, PRIVATE_USE_SCHEMES, proxy=proxy, patience=patience
        )


@asynccontextmanager
async def document_host(folder: Path) -> AsyncGenerator[DocumentHost]:
    """Run a host whose certificate is for HOST; what it needs is kept in `folder`."""
    context = self_signed(folder, HOST)
    hosts: list[DocumentHost] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        [host] = hosts
        host.requests.append(await reader.readuntil(b"\r\n\r\n"))
        text = host.answers.pop(0) if len(host.answers) > 1 else host.answers[0]
        writer.write(text.removesuffix(NEVER_ENDS))
        if text.endswith(NEVER_ENDS):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        trust = ssl.create_default_context(cafile=str(folder / "server.pem"))
        hosts.append(DocumentHost(server.sockets[0].getsockname()[1], trust))
        yield hosts[0]


@dataclass
class ConnectProxy:
    """A proxy for https, and what it was asked: the target, and who asked."""

    port: int = 0
    asked: list[str] = field(default_factory=list[str])


@asynccontextmanager
async def connect_proxy(target: int) -> AsyncGenerator[ConnectProxy]:
    """Run a proxy that connects everybody to one port of this machine."""
    proxy = ConnectProxy()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        user = re.search(r"(?i)proxy-authorization: basic (\S+)", head)
        proxy.asked.append(f"{head.partition(' HTTP')[0]} {base64.b64decode(user[1]).decode() if user else ''}")
        inner, outer = await asyncio.open_connection("127.0.0.1", target)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(pump(reader, outer), pump(inner, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        proxy.port = server.sockets[0].getsockname()[1]
        yield proxy
