"""What a person is offered for an agent: each capability with the levels that can be chosen. Pure.

The levels are bounded by the scopes that the client asked for, the operator's ceiling, and the tools that the operator
left on. The form is read against the same levels, so it can never choose more; a capability without a valid answer is
off.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from auth.access.choices import ASKING, CAUTIOUS, FOCUSED, highest
from auth.access.levels import CAPABILITIES, OFF, UNLIMITED, Access, Allowance, Level, Operation, is_at_most, least
from auth.access.words import LEVELS, WORDS, by_level
from auth.protocol.parameters import values
from auth.protocol.scopes import Scopes
from calendly.scopes import includes

Levels = Mapping[str, tuple[Level, ...]]
"""The levels that can be chosen, by capability, for those with more than `off`."""

FIELD: Final = "level-"
"""The start of the names of fields with levels; the capability follows."""

PRESET: Final = "preset"
"""The name of the field with a preset. Any value but `READING` and `ASKED` has the levels read one by one."""

READING: Final = "read"
ASKED: Final = "ask"
CHOICE: Final = "choose"

_PRESETS: Final[Mapping[str, tuple[str, str]]] = {
    READING: ("Read only", "It sees, and changes nothing."),
    ASKED: ("Ask me before changes", "It sees, and you approve the changes named below; all others stay off."),
    CHOICE: ("Let me choose", "You decide part by part."),
}

NOT_ASKED: Final = "the app did not ask for it"
NOT_ALLOWED: Final = "the operator of this server does not allow it"


@dataclass(frozen=True, slots=True)
class LevelOption:
    """A level that can be chosen.

    Attributes:
        level: The level.
        words: What it is called.
        chosen: Whether it is chosen.
    """

    level: Level
    words: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A capability and its levels that can be chosen.

    Attributes:
        capability: Its name in forms.
        title: Its name for people.
        sentence: What it lets an agent do.
        writes: Some level allows changes.
        options: The levels.
        note: Why some levels are missing, None if none is.
    """

    capability: str
    title: str
    sentence: str
    writes: bool
    options: tuple[LevelOption, ...]
    note: str | None


@dataclass(frozen=True, slots=True)
class Preset:
    """A choice that a person makes with one press.

    Attributes:
        name: `READING`, `ASKED` or `CHOICE`.
        title: What it is called.
        sentence: What it means.
        levels: The name of each level, and the capabilities that would have it; none for `CHOICE`.
        chosen: Whether it is chosen.
    """

    name: str
    title: str
    sentence: str
    levels: tuple[tuple[str, str], ...]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything that can be chosen.

    Attributes:
        parts: The capabilities that can be chosen.
        not_asked: The titles of those that the client did not ask for.
        not_allowed: The titles of those that the operator does not allow.
    """

    parts: tuple[Part, ...]
    not_asked: tuple[str, ...]
    not_allowed: tuple[str, ...]


def levels_within(scopes: Scopes, ceiling: Access, operations: tuple[Operation, ...]) -> Levels:
    """Return the levels that can be chosen with these scopes under a ceiling."""
    found: dict[str, tuple[Level, ...]] = {}
    for capability, levels in CAPABILITIES.items():
        most, allowed = highest(capability, scopes, operations), ceiling.get(capability, OFF).level
        possible: list[Level] = [level for level in levels if is_at_most(level, most) and is_at_most(level, allowed)]
        if len(possible) > 1:
            found[capability] = tuple(possible)
    return found


def preselect(asked: Scopes, everything: Scopes, levels: Levels, before: Access | None, memory: Access) -> Access:
    """Return the levels that are preselected on the page.

    Args:
        asked: The scopes that the client asks for.
        everything: All scopes that this server can give. A client that asks for fewer asks for what it needs.
        levels: What can be chosen.
        before: What the person chose for this client before, None if they did not.
        memory: The restrictions that the person set for a client of that name.
    """
    wished = _wish(asked, everything, levels) if before is None else cut(levels, before)
    return _bare(cut(levels, least((wished, {**UNLIMITED, **memory}))))


def presets(asked: Scopes, everything: Scopes, levels: Levels) -> Mapping[str, Access]:
    """Return the levels that each preset stands for, without a preset that would allow nothing or change nothing.

    Args:
        asked: The scopes that the client asks for.
        everything: All scopes that this server can give.
        levels: What can be chosen.
    """
    asking = _bare(_wish(asked, everything, levels))
    reading = {
        name: Allowance(level="read") if allowance.level != "off" and "read" in levels[name] else OFF
        for name, allowance in asking.items()
    }
    found = {READING: reading, **({ASKED: asking} if asking != reading else {})}
    return {name: access for name, access in found.items() if _allows(access)}


def offer_presets(possible: Mapping[str, Access], chosen: Access) -> tuple[Preset, ...]:
    """Return the presets for a page, on which `chosen` is preselected."""
    preselected = next((name for name, access in possible.items() if access == chosen), CHOICE)
    return tuple(
        Preset(name, title, sentence, tuple(by_level(possible.get(name, {}))), chosen=name == preselected)
        for name, (title, sentence) in _PRESETS.items()
        if name in possible or name == CHOICE
    )


def _wish(asked: Scopes, everything: Scopes, levels: Levels) -> Access:
    """Return what is fit for an agent of which the person has chosen nothing yet."""
    wished = cut(levels, CAUTIOUS if includes(asked, everything) else FOCUSED)
    # A page without any preselection would be of no use.
    return wished if _allows(wished) else cut(levels, ASKING)


def _allows(access: Access) -> bool:
    return any(allowance.level != "off" for allowance in access.values())


def offer(levels: Levels, everything: Levels, chosen: Access, existing: Collection[str]) -> Offer:
    """Return the choices for a page.

    Args:
        levels: What can be chosen.
        everything: What could be chosen if the client had asked for all scopes.
        chosen: What is preselected.
        existing: The capabilities of the tools that are on; the others are not spoken of.
    """
    absent = [capability for capability in CAPABILITIES if capability in existing and capability not in levels]
    return Offer(
        parts=tuple(
            _part(name, levels, everything, chosen.get(name, OFF).level) for name in CAPABILITIES if name in levels
        ),
        not_asked=tuple(WORDS[name].title for name in absent if name in everything),
        not_allowed=tuple(WORDS[name].title for name in absent if name not in everything),
    )


def choose(
    fields: Iterable[tuple[str, str]], levels: Levels, possible: Mapping[str, Access] = MappingProxyType({})
) -> Access:
    """Read the levels that a form chooses, by one of the possible presets or one by one."""
    sent = list(fields)
    preset = next((access for name, access in possible.items() if values(sent, PRESET) == [name]), None)
    if preset is not None:
        return preset
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
        sentence=words.sentence if "ask" in options else words.only_reading,
        writes="ask" in options,
        options=tuple(LevelOption(level, LEVELS[level], chosen=level == chosen) for level in options),
        note=_why_not_more(options, everything.get(name, ()), CAPABILITIES[name]),
    )


def _why_not_more(offered: tuple[Level, ...], possible: tuple[Level, ...], all_levels: tuple[Level, ...]) -> str | None:
    if offered == all_levels:
        return None
    return NOT_ASKED if len(offered) < len(possible) else NOT_ALLOWED


def cut(levels: Levels, access: Access) -> Access:
    """Return access reduced to the levels that can be chosen, with its conditions."""
    return {
        name: replace(
            allowance, level=next(level for level in reversed(possible) if is_at_most(level, allowance.level))
        )
        for name, possible in levels.items()
        for allowance in (access.get(name, OFF),)
    }


def _bare(access: Access) -> Access:
    return {name: Allowance(level=allowance.level) for name, allowance in access.items()}
