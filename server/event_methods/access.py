"""Which kinds of events an agent may see: `events`, and what the kind's own resources take, both at read."""

from collections.abc import Collection, Mapping
from typing import Final

from auth.access.levels import Decision, Limits, Operation, decide_all
from events.kinds import KINDS, MEETINGS, EventFamily, EventKind
from events.outgoing.standing import Refusal
from server.calls.principal import Principal, is_for_lack_of_scope

_CAPABILITY: Final = "events"
_WORDS: Final[Mapping[str, Refusal]] = {"token": "scope", "calendly": "connection"}


def decide_about(family: EventFamily, limits: Limits) -> Decision:
    """Decide whether an agent may see the events of a family."""
    capabilities = (_CAPABILITY, family.capability)
    return decide_all((Operation(capability, "read", family.scope) for capability in capabilities), limits)


def refusal_of(decision: Decision) -> Refusal | None:
    """Return in one word why events are refused, None where they are not."""
    return _WORDS.get(decision.source, "access") if decision.verdict == "deny" else None


def offered(principal: Principal, families: Collection[str] = frozenset({MEETINGS.name})) -> list[EventKind]:
    """Return the kinds that an agent may have, or could after a new consent, of the families that are on."""
    return [
        kind
        for kind in KINDS.values()
        if kind.family and kind.family.name in families and _is_offered(principal, kind.family)
    ]


def _is_offered(principal: Principal, family: EventFamily) -> bool:
    decision = decide_about(family, principal.limits)
    return decision.verdict != "deny" or (principal.steps_up and is_for_lack_of_scope(decision))
