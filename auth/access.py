"""Who may do what in Calendly: capabilities, levels, and the decision with its reason. Pure: values in, values out.

A capability is a part of Calendly that a person understands, such as booking; every tool belongs to one. A level says
how much of it is allowed:

    off   nothing        read  reading
    ask   writing too, each call after a person confirmed it        full  writing too, without asking

Writing without reading is not offered, because Calendly's write scopes include their read scope. An action is a
capability without reading, so it has no level `read`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final, Literal

Level = Literal["off", "read", "ask", "full"]
Levels = Mapping[str, Level]
Verdict = Literal["allow", "ask", "deny"]

_READING: Final[tuple[Level, ...]] = ("off", "read")
_READING_AND_WRITING: Final[tuple[Level, ...]] = ("off", "read", "ask", "full")
_ACTION: Final[tuple[Level, ...]] = ("off", "ask", "full")

CAPABILITIES: Final[Mapping[str, tuple[Level, ...]]] = MappingProxyType(
    {
        "users": _READING,
        "event_types": _READING_AND_WRITING,
        "scheduled_events": _READING,
        "invitee_data": _READING,
        "availability": _READING,
        "booking": _ACTION,
        "canceling": _ACTION,
        "scheduling_links": _ACTION,
        "organization": _READING_AND_WRITING,
        "webhooks": _READING_AND_WRITING,
        "data_deletion": _ACTION,
    }
)
"""Every capability and the levels it may have, from the least to the most."""

_ASKED: Final = frozenset({"canceling", "organization", "webhooks", "data_deletion"})

LOCAL_LEVELS: Final[Levels] = MappingProxyType(
    {capability: "ask" if capability in _ASKED else levels[-1] for capability, levels in CAPABILITIES.items()}
)
"""The levels on the person's own machine, where whoever set the token is who allows: what reaches strangers or cannot
be undone is asked first, all else goes as far as the token does."""


class InvalidLevels(ValueError):
    """The text does not say levels; the message is a sentence that names the part at fault."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a call, and the rule that decided, in words such as `booking is off`."""

    verdict: Verdict
    rule: str


def parse_levels(text: str) -> Levels:
    """Read `capability=level,...`, such as `canceling=off,booking=ask`. Capabilities that are not named are left out.

    Raises:
        InvalidLevels: A name is unknown or comes twice, or a capability cannot have that level.
    """
    levels: dict[str, Level] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        capability, separator, level = (piece.strip() for piece in part.partition("="))
        if not separator:
            raise InvalidLevels(f'"{part[:60]}" is not of the form capability=level.')
        if capability in levels:
            raise InvalidLevels(f"{capability} comes twice.")
        levels[capability] = _level(capability, level)
    return levels


def _level(capability: str, level: str) -> Level:
    possible = CAPABILITIES.get(capability)
    if possible is None:
        close = get_close_matches(capability, CAPABILITIES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the capabilities are {', '.join(CAPABILITIES)}."
        raise InvalidLevels(f'There is no capability "{capability[:60]}"; {hint}')
    for known in possible:
        if known == level:
            return known
    raise InvalidLevels(f'{capability} cannot be "{level[:60]}"; it can be {", ".join(possible)}.')


def decide(capability: str, access: Literal["read", "write"], level: Level) -> Decision:
    """Decide about one call.

    Args:
        capability: The capability of the tool.
        access: Whether the tool reads or writes.
        level: The level of that capability for this caller.
    """
    rule = f"{capability} is {level}"
    if level == "off" or (access == "write" and level == "read"):
        return Decision("deny", rule)
    if access == "write" and level == "ask":
        return Decision("ask", rule)
    return Decision("allow", rule)
