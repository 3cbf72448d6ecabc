"""What a person can choose for an agent, and the scopes that a choice needs. Pure.

`operations` are those of the tools that the operator left on. They bound the levels of each capability.
"""

from collections.abc import Iterable
from types import MappingProxyType
from typing import Final

from auth.access.levels import CAPABILITIES, OFF, Access, Allowance, Level, Limits, Operation, decide, is_at_most
from auth.protocol.scopes import Scopes, least
from calendly.scopes import includes

_ASKED: Final = ("booking", "canceling", "scheduling_links")
_READ: Final = ("users", "event_types", "scheduled_events", "invitee_data", "availability", "events")

CAUTIOUS: Final[Access] = MappingProxyType(
    {
        **dict.fromkeys(CAPABILITIES, OFF),
        **dict.fromkeys(_READ, Allowance(level="read")),
        **dict.fromkeys(_ASKED, Allowance(level="ask")),
    }
)
"""What is preselected for a client that asks for everything. The person has to choose what shows data of others beyond
meetings, sends data elsewhere or cannot be undone."""

ASKING: Final[Access] = MappingProxyType(
    {name: Allowance(level="ask" if "ask" in levels else levels[-1]) for name, levels in CAPABILITIES.items()}
)
"""Everything, but each change only after a confirmation."""

FOCUSED: Final[Access] = MappingProxyType({**ASKING, "meeting_recaps": OFF})
"""What is preselected for a client that asks for less than everything: as `ASKING`, but transcripts are private."""


def highest(capability: str, scopes: Scopes, operations: Iterable[Operation]) -> Level:
    """Return the highest level of a capability that has an effect with these scopes."""
    possible = {
        operation.access
        for operation in operations
        if operation.capability == capability and includes(scopes, {operation.scope})
    }
    if "write" in possible:
        return "full"
    return "read" if "read" in possible else "off"


def settled(chosen: Access, scopes: Scopes, operations: tuple[Operation, ...]) -> Access:
    """Return what to store of a choice that was made with these scopes.

    A person who chose the highest level that the client's scopes allow has not decided against more. That capability is
    stored as in `ASKING`. The agent then lacks a scope, which its client can ask the person for, and not a level,
    which would be a refusal by the person. A capability without a tool is not decided about.
    """
    decided = {operation.capability for operation in operations}
    return {
        capability: ASKING[capability] if _is_open(capability, chosen, scopes, operations) else chosen[capability]
        for capability in CAPABILITIES
        if capability in decided
    }


def _is_open(capability: str, chosen: Access, scopes: Scopes, operations: tuple[Operation, ...]) -> bool:
    most = highest(capability, scopes, operations)
    return most != CAPABILITIES[capability][-1] and is_at_most(most, chosen.get(capability, OFF).level)


def scopes_for(access: Access, operations: Iterable[Operation]) -> Scopes:
    """Return the scopes that a choice needs."""
    limits = Limits(ceiling=access)
    allowed = {operation.scope for operation in operations if decide(operation, limits).verdict != "deny"}
    return least(allowed, allowed)
