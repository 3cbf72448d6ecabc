"""The chains of MACs that show whether the audit log was changed. Pure.

Each process has a chain of its own, so that none waits for another. Every entry of a chain carries
a MAC (HMAC-SHA256) over itself, its place and the MAC before it; the chain's row says under a MAC
where it begins and ends; and one row, the register, says under a MAC which chains there are:

    register ── chain 7 ── entry 1 ── 2 ── 3          a changed, missing or moved entry breaks the line of MACs,
             └─ chain 8 ── entry 1 ── 2               a cut tail the end of its chain, a removed chain the register

Old entries are deleted from the front of a chain. Its base, the MAC of the last deleted entry, is
the checkpoint from which the remaining entries continue.
"""

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from auth.audit.entries import AuditEntry, read, write

KEY_BYTES: Final = 32

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the audit log: one for each purpose, derived from one random secret."""

    chain: bytes = field(repr=False)
    heads: bytes = field(repr=False)
    personal: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "Keys":
        """Derive the keys: one block of HKDF-Expand (RFC 5869), since the secret is random already."""
        return cls(*(hmac.digest(secret, purpose + b"\x01", "sha256") for purpose in (b"chain", b"heads", b"personal")))


@dataclass(frozen=True, slots=True)
class Tip:
    """A place in a chain: the number of entries before it, and the MAC of the last of them, or an empty one."""

    sequence: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """The row of a chain: its entries come after the base and end with the tip, and each of the two has a seal.

    The process that writes the chain moves the tip; whoever clears out old entries moves the base.
    """

    id: str
    number: int
    base_sequence: int
    base_mac: str
    base_seal: str
    tip_sequence: int
    tip_mac: str
    tip_seal: str

    @property
    def base(self) -> Tip:
        """The last entry that is no longer kept."""
        return Tip(self.base_sequence, self.base_mac)

    @property
    def tip(self) -> Tip:
        """The last entry."""
        return Tip(self.tip_sequence, self.tip_mac)


@dataclass(frozen=True, slots=True)
class Register:
    """Which chains exist: those numbered from `first` up to but not including `following`."""

    first: int
    following: int
    seal: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The row of an entry in a chain.

    Attributes:
        chain_id: Its chain.
        sequence: Its place there.
        entry: All of it, as `write` writes it.
        mac: Over the entry, its place and the MAC before it.
        at: A copy out of the entry, to find it by, like the fields that follow.
        action: Its tool, or its action where it has no tool.
    """

    chain_id: str
    sequence: int
    entry: str
    mac: str
    at: datetime
    kind: str
    request_id: str
    person: str | None
    grant_id: str | None
    action: str


def link(chain: str, place: Tip, text: str, entry: AuditEntry) -> Link:
    """Return the row of an entry whose text has this place in a chain."""
    return Link(
        chain_id=chain,
        sequence=place.sequence,
        entry=text,
        mac=place.mac,
        at=entry.time.astimezone(UTC),
        kind=entry.kind,
        request_id=entry.request_id,
        person=entry.person,
        grant_id=entry.grant,
        action=entry.tool or entry.action,
    )


def extend(keys: Keys, chain: str, tip: Tip, entries: Iterable[AuditEntry]) -> tuple[list[Link], Tip]:
    """Continue a chain from its tip. Returns the links to store and the new tip."""
    links: list[Link] = []
    for entry in entries:
        text = write(entry)
        tip = Tip(tip.sequence + 1, _mac(keys.chain, chain, tip.sequence + 1, tip.mac, text))
        links.append(link(chain, tip, text, entry))
    return links, tip


def seal_base(keys: Keys, chain: str, number: int, base: Tip) -> str:
    """Return the MAC of where a chain begins."""
    return _mac(keys.heads, "base", chain, number, base.sequence, base.mac)


def seal_tip(keys: Keys, chain: str, number: int, tip: Tip) -> str:
    """Return the MAC of where a chain ends."""
    return _mac(keys.heads, "tip", chain, number, tip.sequence, tip.mac)


def seal_register(keys: Keys, first: int, following: int) -> str:
    """Return the MAC of which chains there are."""
    return _mac(keys.heads, "register", first, following)


def is_base_sealed(keys: Keys, chain: Chain) -> bool:
    """Say whether the base of a chain is what we last wrote."""
    return _is(seal_base(keys, chain.id, chain.number, chain.base), chain.base_seal)


def is_sealed(keys: Keys, register: Register) -> bool:
    """Say whether the register is what we last wrote."""
    return _is(seal_register(keys, register.first, register.following), register.seal)


def check_register(keys: Keys, register: Register, chains: Iterable[Chain]) -> list[str]:
    """Return the faults of the register and of the rows of the chains."""
    faults: list[str] = []
    if not is_sealed(keys, register):
        faults.append("the register of the chains was changed")
    numbers: set[int] = set()
    for chain in chains:
        numbers.add(chain.number)
        if not is_base_sealed(keys, chain):
            faults.append(f"chain {chain.number}: where it begins was changed")
        if not _is(seal_tip(keys, chain.id, chain.number, chain.tip), chain.tip_seal):
            faults.append(f"chain {chain.number}: where it ends was changed")
    missing = sorted(set(range(register.first, register.following)) - numbers)
    return [*faults, *(f"chain {number} is missing" for number in missing)]


def follow(keys: Keys, chain: Chain, tip: Tip, links: Iterable[Link]) -> tuple[Tip, list[str]]:
    """Follow a chain over the next of its links, in their order.

    Args:
        keys: The keys of the audit log.
        chain: Its row.
        tip: Where the links before ended; `chain.base` at first.
        links: What is stored.

    Returns:
        Where they end, and the faults. A fault that affects every later entry is named once.
    """
    faults: list[str] = []
    for each in links:
        place = f"chain {chain.number}, entry {each.sequence}"
        if each.sequence != tip.sequence + 1:
            faults.append(f"{place}: entries before it are missing or were moved")
        elif not _is(_mac(keys.chain, chain.id, each.sequence, tip.mac, each.entry), each.mac):
            faults.append(f"{place}: it was changed, or put in the place of another")
        elif not _is_copied(each):
            faults.append(f"{place}: what it is found by was changed")
        if each.sequence == chain.tip.sequence and not _is(each.mac, chain.tip.mac):
            faults.append(f"{place}: it is not the entry that the chain ended with")
        tip = Tip(each.sequence, each.mac)
    return tip, faults


def check_end(chain: Chain, tip: Tip) -> list[str]:
    """Return what is missing at the end of a chain that was followed to `tip`. It may have grown meanwhile."""
    lacking = chain.tip.sequence - tip.sequence
    return [f"chain {chain.number}: its last {lacking} entries are missing"] if lacking > 0 else []


def _is_copied(stored: Link) -> bool:
    """Say whether the copied fields are those of the entry."""
    try:
        return link(stored.chain_id, Tip(stored.sequence, stored.mac), stored.entry, read(stored.entry)) == stored
    except ValueError:
        return False


def _mac(key: bytes, *parts: str | int) -> str:
    return hmac.digest(key, _ENCODER.encode(parts).encode(), "sha256").hex()


def _is(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))
