"""What a person is offered for an agent: a part for each capability with the levels that mean something. Pure.

A level means something within the scopes that the client asked for, the operator's ceiling, and what the tools do that
the operator left on. What comes back is read against the same offer, so a form can choose less than was offered and
never more; a part without a clear answer is off.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from auth.access.choices import ASKING, CAUTIOUS, highest
from auth.access.levels import CAPABILITIES, OFF, UNLIMITED, Access, Allowance, Level, Operation, is_at_most, least
from auth.access.words import LEVELS, WORDS
from auth.protocol.parameters import values
from auth.protocol.scopes import Scopes
from calendly.scopes import includes

Levels = Mapping[str, tuple[Level, ...]]
"""The levels of each capability of which more than `off` can be chosen."""

FIELD: Final = "level-"
"""How the fields of a form begin that say levels; a capability follows."""

NOT_ASKED: Final = "the app did not ask for it"
NOT_ALLOWED: Final = "whoever runs this server does not allow it"


@dataclass(frozen=True, slots=True)
class LevelOption:
    """One level that can be chosen."""

    level: Level
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One capability and what can be chosen of it.

    Attributes:
        capability: Its name in forms.
        title: What people call it.
        sentence: What it lets an agent do.
        writes: Something can be changed with it.
        note: Why there is not more to choose, None where there is all of it.
    """

    capability: str
    title: str
    sentence: str
    writes: bool
    options: tuple[LevelOption, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """All that can be chosen, and the titles of what cannot be."""

    parts: tuple[Part, ...]
    not_asked: tuple[str, ...]
    not_allowed: tuple[str, ...]


def levels_within(scopes: Scopes, ceiling: Access, operations: tuple[Operation, ...]) -> Levels:
    """Return what can be chosen with these scopes under a ceiling."""
    found: dict[str, tuple[Level, ...]] = {}
    for capability, levels in CAPABILITIES.items():
        most, allowed = highest(capability, scopes, operations), ceiling.get(capability, OFF).level
        possible: list[Level] = [level for level in levels if is_at_most(level, most) and is_at_most(level, allowed)]
        if len(possible) > 1:
            found[capability] = tuple(possible)
    return found


def preselect(asked: Scopes, everything: Scopes, levels: Levels, before: Access | None, memory: Access) -> Access:
    """Return the levels that are chosen before the person touched the page.

    Args:
        asked: What the client asks for.
        everything: All that this server has to give. A client that asks for less asked for what it needs.
        levels: What can be chosen.
        before: What the person chose for this very client before, None without a before.
        memory: What the person did not want a client of that name to do.
    """
    wish = before if before is not None else CAUTIOUS if includes(asked, everything) else ASKING
    wished = cut(levels, wish)
    if before is None and not any(allowance.level != "off" for allowance in wished.values()):
        wished = cut(levels, ASKING)  # a page with nothing chosen would only be in the way
    return _bare(cut(levels, least((wished, {**UNLIMITED, **memory}))))


def offer(levels: Levels, everything: Levels, chosen: Access) -> Offer:
    """Lay out the choices.

    Args:
        levels: What can be chosen.
        everything: What could be, had the client asked for everything.
        chosen: What is chosen before the person touches the page.
    """
    absent = [capability for capability in CAPABILITIES if capability not in levels]
    return Offer(
        parts=tuple(
            _part(name, levels, everything, chosen.get(name, OFF).level) for name in CAPABILITIES if name in levels
        ),
        not_asked=tuple(WORDS[name].title for name in absent if name in everything),
        not_allowed=tuple(WORDS[name].title for name in absent if name not in everything),
    )


def choose(fields: Iterable[tuple[str, str]], levels: Levels) -> Access:
    """Return what a form chooses of what was offered."""
    sent = list(fields)
    return {name: Allowance(level=_read(values(sent, f"{FIELD}{name}"), possible)) for name, possible in levels.items()}


def _read(sent: list[str], possible: tuple[Level, ...]) -> Level:
    for level in possible:
        if sent == [level]:
            return level
    return "off"


def _part(name: str, levels: Levels, everything: Levels, chosen: Level) -> Part:
    options, words = levels[name], WORDS[name]
    return Part(
        capability=name,
        title=words.title,
        sentence=words.sentence,
        writes="ask" in options,
        options=tuple(LevelOption(level, LEVELS[level], chosen=level == chosen) for level in options),
        note=_why_not_more(options, everything.get(name, ()), CAPABILITIES[name]),
    )


def _why_not_more(
    offered: tuple[Level, ...], possible: tuple[Level, ...], all_there_are: tuple[Level, ...]
) -> str | None:
    if offered == all_there_are:
        return None
    return NOT_ASKED if len(offered) < len(possible) else NOT_ALLOWED


def cut(levels: Levels, access: Access) -> Access:
    """Return as much of access as levels reach, with its conditions."""
    return {
        name: replace(
            allowance, level=next(level for level in reversed(possible) if is_at_most(level, allowance.level))
        )
        for name, possible in levels.items()
        for allowance in (access.get(name, OFF),)
    }


def _bare(access: Access) -> Access:
    return {name: Allowance(level=allowance.level) for name, allowance in access.items()}
