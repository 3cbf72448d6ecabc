"""What a person did not want an agent to do, remembered for when it comes again. Pure.

A client that registers again is a client that nobody let in: what it was allowed is gone. But who
told an agent to keep its hands off something means the next one of that name and address too.
Anyone may take a name, so memory only ever takes away, and only the person gives back.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from auth.access.choices import settled
from auth.access.levels import CAPABILITIES, OFF, UNLIMITED, Access, Allowance, Operation, least
from auth.protocol.redirect_uris import destination, is_loopback
from auth.protocol.scopes import Scopes

RESTRICTION_LIFE: Final = timedelta(days=180)
"""How long it is remembered, from the last change."""

_HERE: Final = "loopback"


@dataclass(frozen=True, slots=True)
class Known:
    """By what a person's agent is known again: what it calls itself, and where it has the browser sent back to."""

    person: str
    name: str | None
    place: str


@dataclass(frozen=True, slots=True)
class ConsentChoice:
    """What a person chose on a consent page.

    Attributes:
        shown: The levels that were chosen before they touched the page.
        chosen: Those they sent; of the same capabilities.
        asked: The scopes that the client asked for.
    """

    shown: Access
    chosen: Access
    asked: Scopes


@dataclass(frozen=True, slots=True)
class SettledChoice:
    """What becomes of a choice: the access to be stored, and what is remembered from now on."""

    access: Access
    memory: Access


def place(redirect_uri: str) -> str:
    """Return by what an agent is known again besides its name; on this machine ports come and go."""
    return _HERE if is_loopback(redirect_uri) else destination(redirect_uri)


def remember(memory: Access, chosen: Access, before: Access) -> Access:
    """Return what is remembered after a person chose.

    Less than before is remembered, more than was remembered is forgotten, and so is nothing else.

    Args:
        memory: What was remembered.
        chosen: What they chose, of the capabilities that they could choose of.
        before: What they had, or what the page had chosen for them.
    """
    remembered = dict(memory)
    for name, allowance in chosen.items():
        if not is_within(before.get(name, OFF), allowance):
            remembered[name] = allowance
        elif name in memory and not is_within(allowance, memory[name]):
            del remembered[name]
            if _has_conditions(allowance):
                remembered[name] = allowance
    return remembered


def settle(
    choice: ConsentChoice, before: Access, memory: Access, operations: tuple[Operation, ...], *, seen: bool
) -> SettledChoice:
    """Return what becomes of a choice on a consent page, now that it is known whose it is.

    Args:
        choice: The choice.
        before: What the person allows this very client already. A consent page asks for levels
            alone, so the conditions stay.
        memory: What they did not want a client of that name to do.
        operations: What the tools do.
        seen: The page was shown to this person, with what they had chosen before; so their word is
            the last. Otherwise what is remembered holds.
    """
    chosen = keep(keep(choice.chosen, _conditions(before, memory)), {} if seen else memory)
    shown = {name: replace(chosen[name], level=allowance.level) for name, allowance in choice.shown.items()}
    remembered = remember(memory, chosen, shown)
    opened = settled({**dict.fromkeys(CAPABILITIES, OFF), **chosen}, choice.asked, operations)
    return SettledChoice(keep(opened, remembered), remembered)


def keep(access: Access, restrictions: Access) -> Access:
    """Return as much of access as restrictions leave; what they do not name they do not restrict."""
    return least((access, {**UNLIMITED, **restrictions}))


def is_within(one: Allowance, other: Allowance) -> bool:
    """Say whether an allowance allows nothing that another does not."""
    return least(({"": one}, {"": other}))[""] == one


def _conditions(*accesses: Access) -> Access:
    """Return the conditions alone, with no word about levels."""
    return least(
        {**UNLIMITED, **{name: replace(allowance, level=UNLIMITED[name].level) for name, allowance in access.items()}}
        for access in accesses
    )


def _has_conditions(allowance: Allowance) -> bool:
    return replace(allowance, level="off") != OFF
