"""A host on the public network, as a test has it: real TLS on loopback, found under the public address of its name."""

import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final, cast

import httpcore2
from typing_extensions import override

from auth.grants.public_network import IPAddress, PublicNetwork

ADDRESS: Final = "93.184.216.34"

NEVER_ENDS: Final = b"..."
"""An answer that ends with this does not end."""


@dataclass
class PublicHost:
    """Where a name leads.

    Attributes:
        port: Where it listens on loopback.
        trust: What its certificate is verified with.
        connected_to: The addresses and ports that were connected to.
        addresses: What its name resolves to, one list for each question.
    """

    port: int
    trust: ssl.SSLContext
    connected_to: list[str] = field(default_factory=list[str])
    addresses: list[list[str]] = field(default_factory=lambda: [[ADDRESS]])

    @property
    def network(self) -> PublicNetwork:
        """A network on which every name resolves to these addresses."""
        return PublicNetwork(self._resolve, Wire(self))

    async def _resolve(self, _host: str, _port: int) -> list[IPAddress]:
        answered = self.addresses.pop(0) if len(self.addresses) > 1 else self.addresses[0]
        return [ip_address(address) for address in answered]


class Wire(httpcore2.AsyncNetworkBackend):
    """Leads every address to the host of the test."""

    def __init__(self, host: PublicHost) -> None:
        self._host = host
        self._network = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self._host.connected_to.append(f"{host}:{port}")
        return await self._network.connect_tcp("127.0.0.1", self._host.port, timeout)
