"""Finds the client address behind the proxies that the operator trusts."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Networks = Sequence[IPv4Network | IPv6Network]


def client_address(peer: str, forwarded_for: Sequence[str], trusted: Networks) -> str:
    """Return the client address of a request.

    Args:
        peer: The address of the other end of the connection.
        forwarded_for: The `X-Forwarded-For` headers in their order. A client can send anything there; only what a
            trusted proxy appended is believed.
        trusted: The networks of the operator's proxies.
    """
    hops = [hop.strip() for header in forwarded_for for hop in header.split(",")]
    address = peer
    while hops and is_within(address, trusted):
        address = hops.pop()
    return address


def neighbourhood(address: str) -> str:
    """Return what rate limits count as one address: an IPv4 address, or an IPv6 /64, which one customer gets."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)


def is_within(address: str, networks: Networks) -> bool:
    """Say whether an address is in one of these networks; what is no address is in none."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
