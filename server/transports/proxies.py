"""The people behind proxies: how many requests one of them may have under way, and whether they can be told apart."""

import logging
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Final

from auth.protocol.addresses import Networks, client_address, is_within, neighbourhood

MOST_AT_ONCE: Final = 256
"""How many requests of one address behind trusted proxies may be under way."""

_SUSPICIOUS: Final = 3
"""How many forwarded addresses make a peer count as a proxy."""

_MOST_PEERS: Final = 64
_TOLD: Final = (
    "%s sends requests for several addresses (X-Forwarded-For) and is not in --trusted-proxies "
    "(CALENDLY_MCP_TRUSTED_PROXIES). If it is your proxy, name it there: today everybody behind it shares one rate "
    "limit and one number of connections."
)

_log: Final = logging.getLogger(__name__)


class Proxies:
    """The proxies in front of one server, those that are trusted and those that are not."""

    def __init__(self, trusted: Networks) -> None:
        self._trusted = trusted
        self._under_way: Counter[str] = Counter()
        self._seen: dict[str, set[str]] = {}

    @contextmanager
    def request(self, peer: str, forwarded_for: Sequence[str]) -> Generator[bool]:
        """Count a request while it is under way. Yields whether it may go on."""
        if not is_within(peer, self._trusted):
            self._watch(peer, forwarded_for)
            yield True  # the number of connections is limited
            return
        address = neighbourhood(client_address(peer, forwarded_for, self._trusted))
        self._under_way[address] += 1
        try:
            yield self._under_way[address] <= MOST_AT_ONCE
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]

    def _watch(self, peer: str, forwarded_for: Sequence[str]) -> None:
        """Say once of a peer that it seems to be a proxy."""
        if not forwarded_for or (peer not in self._seen and len(self._seen) == _MOST_PEERS):
            return
        seen = self._seen.setdefault(peer, set())
        if len(seen) < _SUSPICIOUS:
            seen.add(neighbourhood(forwarded_for[-1].rpartition(",")[2].strip()))
            if len(seen) == _SUSPICIOUS:
                _log.warning(_TOLD, peer)
