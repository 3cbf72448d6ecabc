"""The record of what agents did, and the chain that shows whether it was changed. Pure: values in, values out.

Each process has a chain of its own, so that none waits for another. Every entry of a chain carries a MAC (HMAC-SHA256)
over itself, its place and the MAC before it; the chain's row says under a MAC where it begins and ends; and one row,
the register, says under a MAC which chains there are:

    register ── chain 7 ── entry 1 ── 2 ── 3          a changed, missing or moved entry breaks the line of MACs,
             └─ chain 8 ── entry 1 ── 2               a cut tail the end of its chain, a removed chain the register

What is older than the record is to be kept goes from the front of a chain; its base, the MAC of the last entry that
went, is the checkpoint that what follows continues.

A call that writes has two entries of one `request_id`: `begun`, stored before anything is sent, and `ended`.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal

from calendly.third_party_text import shown

Kind = Literal["begun", "ended", "note", "lost"]
"""A call about to be sent, a call that is over, a decision outside of calls, and entries that could not be kept."""

UNKNOWN: Final = "outcome unknown"

KEY_BYTES: Final = 32

_LONGEST: Final = 200
"""Characters of a name or a text that somebody else chose."""

_HASH_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the record.

    Attributes:
        time: When the call or decision began.
        kind: What it is an entry of.
        request_id: Ours, one for each call or decision; the log names it too.
        person: Whose Calendly it is: the user's URI, hashed unless the operator wants full detail.
        agent: The name of the agent.
        named_by: Who says so: the `client` of itself, the `operator`, or the client when it `registered`.
        grant: What the person allowed this agent, on the hosted endpoint.
        action: `read`, `write` or `dry_run`, or what was decided outside of calls, such as `redeem_code`.
        tool: The tool.
        endpoint: Its operation at Calendly.
        organization: The organization it is about, where that is known.
        resource: The resource it is about.
        transport: `stdio`, `http` or `command`.
        decision: `allowed`, `refused`, `asked`, `declined` or `tried`.
        rule: The rule that decided.
        source: Whose rule it is.
        confirmed: How the call was confirmed.
        outcome: `answered`, the kind of an error, or `canceled`; None while a call is under way.
        status: The HTTP status that Calendly answered an error with.
        duration: Seconds.
        sentence: All of it for a person, in plain words.
    """

    time: datetime
    kind: Kind
    request_id: str
    person: str | None = None
    agent: str | None = None
    named_by: str | None = None
    grant: str | None = None
    action: str
    tool: str | None = None
    endpoint: str | None = None
    organization: str | None = None
    resource: str | None = None
    transport: str | None = None
    decision: str | None = None
    rule: str | None = None
    source: str | None = None
    confirmed: str | None = None
    outcome: str | None = None
    status: int | None = None
    duration: float | None = None
    sentence: str

    @property
    def told(self) -> str:
        """The sentence, which of a call without an end says that its outcome is unknown."""
        return f"{self.sentence}, {UNKNOWN}" if self.kind == "begun" else self.sentence

    @property
    def ending(self) -> str | None:
        """The outcome, which of a call without an end is unknown."""
        return "outcome_unknown" if self.kind == "begun" else self.outcome


@dataclass(frozen=True, slots=True)
class Veil:
    """Stands between personal data and the record.

    Attributes:
        key: Of the hashes.
        full: The operator wants personal data in the record as it is.
    """

    key: bytes = field(repr=False)
    full: bool = False

    def name(self, text: str) -> str:
        """Return personal data as it is recorded: its keyed hash, or itself where the operator wants that."""
        return cut(text) if self.full else self.hash(text)

    def hash(self, text: str) -> str:
        """Return the keyed hash of personal data: the same for the same person, however an address is written."""
        mac = hmac.digest(self.key, text.strip().casefold().encode(errors="surrogatepass"), "sha256")
        return f"#{mac.hex()[:_HASH_DIGITS]}"


def cut(text: str) -> str:
    """Return what somebody else wrote on one line of visible characters, at most so many of them."""
    line = shown(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def write(entry: Entry) -> str:
    """Return an entry as it is stored: JSON without what does not apply, its names in order."""
    return json.dumps(facts(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def facts(entry: Entry) -> dict[str, Any]:
    """Return what applies of an entry, as JSON values."""
    values = {name: getattr(entry, name) for name in _FIELDS}
    applying = {name: value for name, value in values.items() if value is not None}
    return {**applying, "time": entry.time.astimezone(UTC).isoformat(timespec="microseconds")}


def read(text: str) -> Entry:
    """Read what `write` wrote. Raises ValueError when it is something else."""
    try:
        values = json.loads(text)
        known = {name: value for name, value in values.items() if name in _FIELDS}
        return Entry(**{**known, "time": datetime.fromisoformat(values["time"])})
    except (AttributeError, KeyError, TypeError) as fault:
        raise ValueError("this is no entry of the record") from fault


_FIELDS: Final = tuple(each.name for each in fields(Entry))


@dataclass(frozen=True, slots=True)
class Keys:
    """What the record is protected by: from one random secret, a key for each purpose."""

    chain: bytes = field(repr=False)
    heads: bytes = field(repr=False)
    personal: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: bytes) -> "Keys":
        """Derive the keys (HKDF-Expand of RFC 5869 for one block: the secret is random already)."""
        return cls(*(hmac.digest(secret, purpose + b"\x01", "sha256") for purpose in (b"chain", b"heads", b"personal")))


@dataclass(frozen=True, slots=True)
class Tip:
    """A place in a chain: after so many entries, of which the last has this MAC; before the first it is empty."""

    sequence: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain as its row says it: entries from after `base` to `tip`, each sealed by itself.

    The process that writes the chain moves the tip, whoever clears out old entries the base.
    """

    id: str
    number: int
    base: Tip
    base_seal: str
    tip: Tip
    tip_seal: str


@dataclass(frozen=True, slots=True)
class Register:
    """Which chains there are: those numbered from `first` until before `following`."""

    first: int
    following: int
    seal: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as it is stored in a chain: its place, its text, what it is found by, and its MAC."""

    chain: str
    sequence: int
    text: str
    found_by: Mapping[str, object]
    mac: str


def found_by(entry: Entry) -> dict[str, object]:
    """Return what an entry is found by: copies of some of its fields."""
    return {
        "at": entry.time.astimezone(UTC),
        "kind": entry.kind,
        "request_id": entry.request_id,
        "person": entry.person,
        "grant_id": entry.grant,
        "action": entry.tool or entry.action,
    }


def extend(keys: Keys, chain: str, tip: Tip, entries: Iterable[Entry]) -> tuple[list[Link], Tip]:
    """Continue a chain from its tip; the links to store, and the new tip."""
    links: list[Link] = []
    for entry in entries:
        text = write(entry)
        mac = _mac(keys.chain, chain, tip.sequence + 1, tip.mac, text)
        tip = Tip(tip.sequence + 1, mac)
        links.append(Link(chain, tip.sequence, text, found_by(entry), mac))
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
    """Say whether a chain begins where its row was last made to say."""
    return _is(seal_base(keys, chain.id, chain.number, chain.base), chain.base_seal)


def is_sealed(keys: Keys, register: Register) -> bool:
    """Say whether the register says what it was last made to say."""
    return _is(seal_register(keys, register.first, register.following), register.seal)


def check_register(keys: Keys, register: Register, chains: Iterable[Chain]) -> list[str]:
    """Say what is wrong with the register and the rows of the chains; nothing when all is as it was written."""
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
        keys: Of the record.
        chain: Its row.
        tip: Where the links before ended; `chain.base` at first.
        links: What is stored.

    Returns:
        Where they end, and what is wrong: a fault that concerns all that follow is named once.
    """
    faults: list[str] = []
    for link in links:
        place = f"chain {chain.number}, entry {link.sequence}"
        if link.sequence != tip.sequence + 1:
            faults.append(f"{place}: entries before it are missing or were moved")
        elif not _is(_mac(keys.chain, chain.id, link.sequence, tip.mac, link.text), link.mac):
            faults.append(f"{place}: it was changed, or put in the place of another")
        elif not _is_found_by(link):
            faults.append(f"{place}: what it is found by was changed")
        if link.sequence == chain.tip.sequence and not _is(link.mac, chain.tip.mac):
            faults.append(f"{place}: it is not the entry that the chain ended with")
        tip = Tip(link.sequence, link.mac)
    return tip, faults


def check_end(chain: Chain, tip: Tip) -> list[str]:
    """Say what is missing at the end of a chain that was followed to `tip`. More may have been written meanwhile."""
    lacking = chain.tip.sequence - tip.sequence
    return [f"chain {chain.number}: its last {lacking} entries are missing"] if lacking > 0 else []


def _is_found_by(link: Link) -> bool:
    try:
        return found_by(read(link.text)) == dict(link.found_by)
    except ValueError:
        return False


def _mac(key: bytes, *parts: str | int) -> str:
    return hmac.new(key, json.dumps(parts, ensure_ascii=False).encode(), hashlib.sha256).hexdigest()


def _is(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode(errors="replace"))
