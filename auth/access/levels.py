"""Who may do what in Calendly: capabilities, levels, and the decision with its reason. Pure.

A capability is a part of Calendly that a person understands, such as booking; every tool belongs to one. A level says
how much of it is allowed:

    off   nothing        read  reading
    ask   writing too, each call after a person confirmed it        full  writing too, without asking

Writing without reading is not offered, because Calendly's write scopes include their read scope. An action is a
capability without reading, so it has no level `read`.

What becomes of a call is the least of four: the operator's ceiling, what the person chose for the agent, the scopes of
its token, and what Calendly granted. What none of them mentions is off.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, Protocol

from calendly.scopes import includes

Level = Literal["off", "read", "ask", "full"]
Verdict = Literal["allow", "ask", "deny"]
Source = Literal["operator", "person", "token", "calendly", "request"]
"""Who or what decided: the operator's ceiling, the person's choice, the token's scopes, what Calendly granted, or the
request, which can narrow itself."""

Aspect = Literal["event_types", "hosts", "domains"]
"""What a condition on a writing call is about."""

_NOUNS: Final[Mapping[Aspect, str]] = {
    "event_types": "the event types",
    "hosts": "meetings hosted by",
    "domains": "invitees and guests at",
}
_MOST_NAMED: Final = 5

_READING: Final[tuple[Level, ...]] = ("off", "read")
_READING_AND_WRITING: Final[tuple[Level, ...]] = ("off", "read", "ask", "full")
_ACTION: Final[tuple[Level, ...]] = ("off", "ask", "full")

CAPABILITIES: Final[Mapping[str, tuple[Level, ...]]] = MappingProxyType(
    {
        "users": _READING,
        "event_types": _READING_AND_WRITING,
        "scheduled_events": _READING,
        "invitee_data": _READING,
        "availability": _READING_AND_WRITING,
        "booking": _ACTION,
        "canceling": _ACTION,
        "scheduling_links": _ACTION,
        "no_shows": _ACTION,
        "organization": _READING_AND_WRITING,
        "webhooks": _READING_AND_WRITING,
        "data_deletion": _ACTION,
        "events": _READING,
        "contacts": _READING_AND_WRITING,
        "meeting_recaps": _READING_AND_WRITING,
        "routing_forms": _READING,
        "activity_log": _READING,
    }
)
"""Every capability and the levels it may have, from the least to the most."""

CONDITIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "booking": ("event_types", "hosts", "domains", "per_day"),
        "canceling": ("event_types", "hosts", "domains"),
        "scheduling_links": ("event_types", "hosts"),
    }
)
"""The conditions that can narrow a capability, by the names of `Allowance`: those of which a call can say them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much of one capability is allowed, and on which conditions. A condition that is None narrows nothing.

    Attributes:
        level: How much.
        event_types: Writing is for these event types alone (uuids).
        hosts: Writing is for meetings that all of these people, and no others, host (uuids of users).
        domains: Every invitee and guest has an e-mail address at one of these domains, in lower case.
        per_day: So many bookings within 24 hours.
        in_browser: A confirmation counts only when the signed-in person gave it on our own page.
    """

    level: Level
    event_types: frozenset[str] | None = None
    hosts: frozenset[str] | None = None
    domains: frozenset[str] | None = None
    per_day: int | None = None
    in_browser: bool = False


Access = Mapping[str, Allowance]
"""Allowances by capability; a capability without one is off."""

OFF: Final = Allowance(level="off")

UNLIMITED: Final[Access] = MappingProxyType(
    {name: Allowance(level=levels[-1]) for name, levels in CAPABILITIES.items()}
)
"""Everything: the ceiling of a hosted endpoint whose operator names none, since there each person decides."""

_ASKED: Final = frozenset({"canceling", "organization", "webhooks", "data_deletion", "meeting_recaps"})

LOCAL: Final[Access] = MappingProxyType(
    {name: Allowance(level="ask") if name in _ASKED else allowance for name, allowance in UNLIMITED.items()}
)
"""The levels on the person's own machine, where whoever set the token is who allows: what reaches strangers or cannot
be undone is asked first, all else goes as far as the token does."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a decision depends on in a call: its capability, whether it reads or writes, its scope."""

    capability: str
    access: Literal["read", "write"]
    scope: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What stands over an agent.

    Attributes:
        ceiling: What the operator allows.
        chosen: What the person allows the agent, None where the operator is the person.
        chosen_by: Who chose that: the operator for a token of their making.
        scopes: Those of its token, None where nobody but Calendly knows them.
        granted: Those that Calendly granted, None while it does not say.
    """

    ceiling: Access
    chosen: Access | None = None
    scopes: Collection[str] | None = None
    granted: Collection[str] | None = None
    chosen_by: Source = "person"

    def of(self, capability: str) -> tuple[tuple[Source, Allowance], ...]:
        """Return what operator and person allow of a capability."""
        operator: tuple[Source, Allowance] = ("operator", self.ceiling.get(capability, OFF))
        return (operator,) if self.chosen is None else (operator, (self.chosen_by, self.chosen.get(capability, OFF)))


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a call, the rule that decides, such as `booking is off`, and whose rule it is."""

    verdict: Verdict
    rule: str
    source: Source


@dataclass(frozen=True, slots=True)
class Condition:
    """What a writing call has to stay within, the rule in words, and whose it is."""

    aspect: Aspect
    allowed: frozenset[str]
    rule: str
    source: Source


class ConditionFacts(Protocol):
    """What conditions are held against: what a writing call affects, None where that could not be found out."""

    @property
    def event_types(self) -> Collection[str] | None:
        """The uuids of the event types."""
        ...

    @property
    def hosts(self) -> Collection[str] | None:
        """The uuids of the users who host."""
        ...

    @property
    def addresses(self) -> Collection[str] | None:
        """The e-mail addresses of invitees and guests."""
        ...


def decide(operation: Operation, limits: Limits) -> Decision:
    """Decide about one call, conditions apart. Of several rules against it the first of the four is named.

    A capability about which the person never decided is off, but what counts before that is a scope that is missing:
    the consent for it asks about both.
    """
    allowances = limits.of(operation.capability)
    verdicts = [_verdict(operation, source, allowance) for source, allowance in allowances]
    denied = next((decision for decision in verdicts if decision.verdict == "deny"), None)
    lacking = _lacking(operation.scope, limits)
    if lacking and denied and denied.source == limits.chosen_by and operation.capability not in (limits.chosen or ()):
        return lacking  # the person was never asked: they can be, with the scope
    asked = next((decision for decision in verdicts if decision.verdict == "ask"), None)
    return denied or lacking or asked or verdicts[-1]


def decide_all(operations: Iterable[Operation], limits: Limits) -> Decision:
    """Decide about a call that is several operations, at least one: all of them have to be allowed.

    A level that forbids one of them comes before a missing scope, because no new sign-in would help. A scope that the
    token lacks comes before one that Calendly did not grant, because the client can ask its person for it. A question
    comes last: it is asked about the whole.
    """
    return min((decide(operation, limits) for operation in operations), key=_rank)


def least(accesses: Iterable[Access]) -> Access:
    """Return what all of them allow, at least one."""
    first, *others = accesses
    met = dict(first)
    for other in others:
        met = {name: _meet(allowance, other.get(name, OFF)) for name, allowance in met.items()}
    return met


def conditions(capability: str, limits: Limits) -> tuple[Condition, ...]:
    """Return what a writing call has to be within."""
    return tuple(
        Condition(aspect, allowed, f"{capability} is limited to {_NOUNS[aspect]} {_some(allowed)}", source)
        for source, allowance in limits.of(capability)
        for aspect, allowed in _within(allowance).items()
        if allowed is not None
    )


def object_to(capability: str, limits: Limits, facts: ConditionFacts) -> Decision | None:
    """Return the refusal of a writing call that is outside a condition; None when it is within all of them.

    What could not be found out is outside.
    """
    actual = {"event_types": facts.event_types, "hosts": facts.hosts, "domains": _domains(facts.addresses)}
    for condition in conditions(capability, limits):
        found = actual[condition.aspect]
        if not (found and condition.allowed.issuperset(found)):
            return Decision("deny", condition.rule, condition.source)
    return None


def daily_limit(capability: str, limits: Limits) -> tuple[int, Source] | None:
    """Return how many calls of a capability there may be within 24 hours, and whose rule that is; None without one."""
    found: list[tuple[int, Source]] = [
        (allowance.per_day, source) for source, allowance in limits.of(capability) if allowance.per_day is not None
    ]
    return min(found, key=lambda one: one[0], default=None)


def is_browser_only(capability: str, limits: Limits) -> bool:
    """Say whether a confirmation counts only when the signed-in person gave it on our own page."""
    return any(allowance.in_browser for _, allowance in limits.of(capability))


def is_at_most(level: Level, other: Level) -> bool:
    """Say whether a level allows no more than another."""
    return _READING_AND_WRITING.index(level) <= _READING_AND_WRITING.index(other)


def _rank(decision: Decision) -> int:
    """Return the place of a decision among those about the parts of one call, of which the first counts."""
    if decision.verdict == "deny":
        return {"token": 1, "calendly": 2}.get(decision.source, 0)
    return 3 if decision.verdict == "ask" else 4


def _verdict(operation: Operation, source: Source, allowance: Allowance) -> Decision:
    level, rule = allowance.level, f"{operation.capability} is {allowance.level}"
    if level == "off" or (operation.access == "write" and level == "read"):
        return Decision("deny", rule, source)
    if operation.access == "write" and level == "ask":
        return Decision("ask", rule, source)
    return Decision("allow", rule, source)


def _lacking(scope: str, limits: Limits) -> Decision | None:
    if limits.scopes is not None and not includes(limits.scopes, {scope}):
        return Decision("deny", f"the scope {scope} was not allowed to this agent", "token")
    if limits.granted is not None and not includes(limits.granted, {scope}):
        return Decision("deny", f"Calendly did not grant the scope {scope} to this server", "calendly")
    return None


def _meet(one: Allowance, other: Allowance) -> Allowance:
    return Allowance(
        level=one.level if is_at_most(one.level, other.level) else other.level,
        event_types=_both(one.event_types, other.event_types),
        hosts=_both(one.hosts, other.hosts),
        domains=_both(one.domains, other.domains),
        per_day=_smaller(one.per_day, other.per_day),
        in_browser=one.in_browser or other.in_browser,
    )


def _both(one: frozenset[str] | None, other: frozenset[str] | None) -> frozenset[str] | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _smaller(one: int | None, other: int | None) -> int | None:
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)


def _within(allowance: Allowance) -> dict[Aspect, frozenset[str] | None]:
    return {"event_types": allowance.event_types, "hosts": allowance.hosts, "domains": allowance.domains}


def _some(values: Collection[str]) -> str:
    named = sorted(values)
    rest = len(named) - _MOST_NAMED
    return ", ".join([*named[:_MOST_NAMED], *([f"{rest} more"] if rest > 0 else [])])


def _domains(addresses: Collection[str] | None) -> set[str] | None:
    return None if addresses is None else set(map(_domain, addresses))


def _domain(address: str) -> str:
    """The domain as conditions name it. Only ASCII letters have the same small letter wherever mail is sent."""
    _, at, domain = address.rpartition("@")
    if not at or not domain.isascii():
        return ""
    return domain.lower()
