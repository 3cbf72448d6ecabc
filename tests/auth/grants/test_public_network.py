from collections.abc import Iterable, Sequence
from ipaddress import ip_address

import httpcore2
import pytest
from typing_extensions import override

from auth.grants.public_network import IPAddress, NotPublic, PublicNetwork, is_public, resolve
from tests.cases import each

PRIVATE = [
    "127.0.0.1",
    "127.255.255.254",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",  # cloud metadata
    "100.64.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "100::1",
]
PUBLIC = ["93.184.216.34", "8.8.8.8", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946", "2a00:1450:4001:81b::200e"]


@pytest.mark.requirement("documents-public")
@each("address", PRIVATE)
def test_an_address_that_is_not_of_the_public_internet_is_told_apart(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.requirement("documents-public")
@each("address", PUBLIC)
def test_an_address_of_the_public_internet_is_told_apart(address: str) -> None:
    assert is_public(ip_address(address))


class Wire(httpcore2.AsyncNetworkBackend):
    """Notes where it is asked to connect; only `answering` is there."""

    def __init__(self, answering: str = "") -> None:
        self.asked: list[tuple[str, int]] = []
        self.answering = answering

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.asked.append((host, port))
        if host != self.answering:
            raise httpcore2.ConnectError
        return httpcore2.AsyncMockStream([])


def names(*answers: Sequence[str]) -> "Names":
    return Names([[ip_address(address) for address in answer] for answer in answers])


class Names:
    """A name server whose answers change from one question to the next."""

    def __init__(self, answers: list[list[IPAddress]]) -> None:
        self.answers = answers
        self.asked = 0

    async def __call__(self, _host: str, _port: int) -> list[IPAddress]:
        """Answer the next question."""
        self.asked += 1
        return self.answers[min(self.asked, len(self.answers)) - 1]


@pytest.mark.requirement("documents-public")
async def test_the_address_that_was_checked_is_the_one_connected_to_whatever_the_name_says_next() -> None:
    rebinding, wire = names(["93.184.216.34"], ["127.0.0.1"]), Wire("93.184.216.34")
    await PublicNetwork(rebinding, wire).connect_tcp("client.example", 443)
    assert wire.asked == [("93.184.216.34", 443)]
    assert rebinding.asked == 1


@pytest.mark.requirement("documents-public")
@each("addresses", [[], ["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["10.0.0.1", "93.184.216.34"], ["::1"]])
async def test_a_name_with_an_address_that_is_not_public_is_not_connected_to(addresses: list[str]) -> None:
    wire = Wire()
    with pytest.raises(NotPublic):
        await PublicNetwork(names(addresses), wire).connect_tcp("client.example", 443)
    assert wire.asked == []


async def test_of_several_public_addresses_the_first_that_answers_is_taken() -> None:
    wire = Wire("1.1.1.1")
    network = PublicNetwork(names(["2606:2800:220:1::1", "8.8.8.8", "1.1.1.1"]), wire)
    await network.connect_tcp("client.example", 443)
    assert [host for host, _ in wire.asked] == ["2606:2800:220:1::1", "8.8.8.8", "1.1.1.1"]
    with pytest.raises(httpcore2.ConnectError):
        await PublicNetwork(names(["8.8.8.8"] * 9), wire).connect_tcp("client.example", 443)
    assert len(wire.asked) == 3 + 4


async def test_the_system_resolves_names_and_reads_odd_spellings_of_addresses() -> None:
    for host in ("localhost", "127.1", "0x7f.1", "2130706433"):
        found = await resolve(host, 443)
        assert found
        assert not any(map(is_public, found))
