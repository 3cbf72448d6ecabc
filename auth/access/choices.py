"""What a person can choose for an agent, and the scopes that a choice takes. Pure.

`operations` are those of the tools that the operator left on; each capability is offered as far as they reach.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from auth.access.levels import CAPABILITIES, OFF, Access, Allowance, Level, Limits, Operation, decide, is_at_most
from auth.protocol.scopes import Scopes, least
from calendly.scopes import includes

_ASKED: Final = ("booking", "canceling", "scheduling_links")
_READ: Final = ("users", "event_types", "scheduled_events", "invitee_data", "availability")

CAUTIOUS: Final[Access] = MappingProxyType(
    {
        **dict.fromkeys(CAPABILITIES, OFF),
        **dict.fromkeys(_READ, Allowance(level="read")),
        **dict.fromkeys(_ASKED, Allowance(level="ask")),
    }
)
"""What is preselected for a client that asks for everything, and so did not think about it: what shows others' data
beyond meetings, sends data elsewhere or cannot be undone is left to the person."""

ASKING: Final[Access] = MappingProxyType(
    {name: Allowance(level="ask" if "ask" in levels else levels[-1]) for name, levels in CAPABILITIES.items()}
)
"""Everything, each change after a question: what is preselected for a client that asks for no more than it needs."""


def highest(capability: str, scopes: Scopes, operations: Iterable[Operation]) -> Level:
    """Return the highest level of a capability that means something with these scopes."""
    possible = {
        operation.access
        for operation in operations
        if operation.capability == capability and includes(scopes, {operation.scope})
    }
    if "write" in possible:
        return "full"
    return "read" if "read" in possible else "off"


def settled(chosen: Access, scopes: Scopes, operations: tuple[Operation, ...]) -> Access:
    """Return what is to be stored of a choice that was made with these scopes.

    A person who took the most that a client asked for has not decided against the rest. So where the scopes alone
    stood against more, the level stays open (`ASKING`): what the agent lacks is then a scope, for which its client can
    ask the person, and not a level, which would be the person's no.
    """
    return {
        capability: ASKING[capability] if _is_open(capability, chosen, scopes, operations) else chosen[capability]
        for capability in CAPABILITIES
    }


def _is_open(capability: str, chosen: Access, scopes: Scopes, operations: tuple[Operation, ...]) -> bool:
    most = highest(capability, scopes, operations)
    return most != CAPABILITIES[capability][-1] and is_at_most(most, chosen.get(capability, OFF).level)


def scopes_for(access: Access, operations: Iterable[Operation]) -> Scopes:
    """Return the scopes of all that a choice allows."""
    limits = Limits(ceiling=access)
    allowed = {operation.scope for operation in operations if decide(operation, limits).verdict != "deny"}
    return least(allowed, allowed)
