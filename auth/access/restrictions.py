"""What a person took from an agent, remembered for when it is connected again. Pure.

A client that registers again has no grant: what it was allowed is gone. But a restriction also applies to the next
client with the same name and redirect host. Anybody can use a name, so what is remembered only restricts, and only the
person lifts a restriction.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from auth.access.choices import settled
from auth.access.levels import CAPABILITIES, OFF, UNLIMITED, Access, Allowance, Operation, least
from auth.protocol.redirect_uris import destination, is_loopback
from auth.protocol.scopes import Scopes

RESTRICTION_LIFE: Final = timedelta(days=180)
"""How long restrictions are remembered after the last change."""

_HERE: Final = "loopback"


@dataclass(frozen=True, slots=True)
class Known:
    """What identifies a person's agent when it registers again.

    Attributes:
        person: The person, a user URI.
        name: What the agent calls itself.
        place: Where it has the browser sent back to, as `place` returns it.
    """

    person: str
    name: str | None
    place: str


@dataclass(frozen=True, slots=True)
class ConsentChoice:
    """What a person chose on a consent page.

    Attributes:
        shown: The levels that were preselected.
        chosen: The levels that they sent, of the same capabilities.
        asked: The scopes that the client asked for.
    """

    shown: Access
    chosen: Access
    asked: Scopes


@dataclass(frozen=True, slots=True)
class SettledChoice:
    """The result of a choice.

    Attributes:
        access: The access to store.
        memory: The restrictions to remember from now on.
    """

    access: Access
    memory: Access


def place(redirect_uri: str) -> str:
    """Return what identifies an agent besides its name. Ports on this machine change, so they do not count."""
    return _HERE if is_loopback(redirect_uri) else destination(redirect_uri)


def remember(memory: Access, chosen: Access, before: Access) -> Access:
    """Return the restrictions to remember after a person chose.

    A capability of which they allow less than before is added; one of which they allow more than was remembered is
    removed. Nothing else changes.

    Args:
        memory: The restrictions so far.
        chosen: What they chose, of the capabilities on the page.
        before: What they had chosen before, or what was preselected.
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
    """Return the result of a choice on a consent page, once the person is known.

    Args:
        choice: The choice.
        before: What the person already allows this client. A consent page asks for levels only, so
            the conditions stay.
        memory: The restrictions that they set for a client of that name.
        operations: The operations of the tools.
        seen: The page was shown to this person with their earlier choices, so the new choice
            prevails. Otherwise the restrictions do.
    """
    chosen = keep(keep(choice.chosen, _conditions(before, memory)), {} if seen else memory)
    shown = {name: replace(chosen[name], level=allowance.level) for name, allowance in choice.shown.items()}
    remembered = remember(memory, chosen, shown)
    opened = settled({**dict.fromkeys(CAPABILITIES, OFF), **chosen}, choice.asked, operations)
    return SettledChoice(keep(opened, remembered), remembered)


def keep(access: Access, restrictions: Access) -> Access:
    """Return access reduced by restrictions. Capabilities that they do not name are not restricted."""
    return least((access, {**UNLIMITED, **restrictions}))


def is_within(one: Allowance, other: Allowance) -> bool:
    """Say whether an allowance allows no more than another."""
    return least(({"": one}, {"": other}))[""] == one


def _conditions(*accesses: Access) -> Access:
    """Return the conditions alone, at the highest levels."""
    return least(
        {**UNLIMITED, **{name: replace(allowance, level=UNLIMITED[name].level) for name, allowance in access.items()}}
        for access in accesses
    )


def _has_conditions(allowance: Allowance) -> bool:
    return replace(allowance, level="off") != OFF
