"""Connections to public addresses and to nothing else: what a stranger's URL may make this server connect to.

The name is resolved once, and the connection goes to the very address that was checked, so a name
whose answer changes between check and use (DNS rebinding) gains nothing.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, cast

import anyio
import httpcore2
from typing_extensions import override

IPAddress = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[IPAddress]]]
"""Finds the addresses of a host name for a port. Raises OSError."""

# What is given out to be reached from anywhere (IANA IPv6 address space), less what carries an IPv4
# address in it.
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_CARRIERS: Final = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))  # 6to4, Teredo
_MOST_ADDRESSES: Final = 4
_IMPATIENCE: Final = 2.0
"""Seconds for an address that is not the last one left to try."""


class NotPublic(OSError):
    """The name has no address that may be connected to."""


def is_public(address: IPAddress) -> bool:
    """Say whether an address is one of the public internet: no machine of ours, no neighbour, nobody's special use."""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not any(address in carrier for carrier in _CARRIERS)


async def resolve(host: str, port: int) -> Sequence[IPAddress]:
    """Ask the system's resolver. Raises OSError."""
    found = await anyio.getaddrinfo(host, port)
    return [ip_address(str(where[0]).partition("%")[0]) for *_, where in found]


class PublicNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to public addresses only; `network` None is that of the system."""

    def __init__(self, resolver: Resolver = resolve, network: httpcore2.AsyncNetworkBackend | None = None) -> None:
        self._resolver = resolver
        self._network = network or cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def check(self, host: str, port: int) -> None:
        """Check a name that a proxy will resolve: if this machine can resolve it, it has to be public.

        Raises NotPublic.
        """
        try:
            addresses = await self._resolver(host, port)
        except OSError:
            return
        if not all(map(is_public, addresses)):
            raise NotPublic("not a public address")

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first address that answers, of a name all of whose addresses are public.

        Raises NotPublic, the resolver's OSError, and httpcore2's errors.
        """
        addresses = await self._resolver(host, port)
        if not addresses or not all(map(is_public, addresses)):
            raise NotPublic("not a public address")
        *others, last = map(str, addresses[:_MOST_ADDRESSES])
        for address in others:
            try:
                return await self._network.connect_tcp(address, port, _IMPATIENCE, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._network.connect_tcp(last, port, timeout, local_address, socket_options)
