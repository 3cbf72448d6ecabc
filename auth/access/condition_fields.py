"""Shows and reads the conditions of a capability as fields of a form. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth.access.levels import CAPABILITIES, CONDITIONS, Allowance, Level
from auth.access.text import InvalidAccess, parse_access
from auth.access.words import WORDS
from auth.protocol.parameters import values

_SEPARATORS: Final = re.compile(r"[\s,;]+")
_WORD: Final = re.compile(r"@?[0-9A-Za-z._-]{1,253}")
_NOUNS: Final = {
    "event_types": "event types",
    "hosts": "hosts",
    "domains": "e-mail domains",
    "per_day": "bookings a day",
    "confirm": "the page to confirm on",
}


@dataclass(frozen=True, slots=True)
class Box:
    """A checkbox.

    Attributes:
        value: What the form sends if it is ticked.
        words: Its label.
        ticked: Whether it is ticked.
    """

    value: str
    words: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class Conditions:
    """The fields of one capability; None for a condition that it cannot have.

    Attributes:
        capability: The end of the names of its fields.
        event_types: A box for each event type.
        more_event_types: The uuids of event types without a box.
        hosts: A box for each host whose name is known, the person first.
        more_hosts: The uuids of the other hosts.
        domains: The e-mail domains.
        per_day: The number of bookings within 24 hours.
        in_browser: A confirmation counts only on our page; None if the capability has no level `ask`.
        are_set: Some condition is set.
    """

    capability: str
    event_types: tuple[Box, ...] | None
    more_event_types: str
    hosts: tuple[Box, ...] | None
    more_hosts: str
    domains: str | None
    per_day: str | None
    in_browser: bool | None
    are_set: bool


def show_conditions(
    capability: str, allowance: Allowance, event_types: Mapping[str, str], people: Mapping[str, str]
) -> Conditions | None:
    """Return the fields of a capability, None if it has no conditions.

    Args:
        capability: Its name.
        allowance: What is set.
        event_types: The names of the person's event types by uuid, as far as they are known.
        people: What hosts are called by uuid, the person first.
    """
    possible = CONDITIONS.get(capability, ())
    asks = "ask" in CAPABILITIES[capability]
    if not possible and not asks:
        return None
    chosen, hosts = allowance.event_types or frozenset(), allowance.hosts or frozenset()
    return Conditions(
        capability=capability,
        event_types=_boxes(event_types, chosen) if "event_types" in possible else None,
        more_event_types=_line(chosen.difference(event_types)),
        hosts=_boxes(people, hosts) if "hosts" in possible else None,
        more_hosts=_line(hosts.difference(people)),
        domains=_line(allowance.domains or ()) if "domains" in possible else None,
        per_day=("" if allowance.per_day is None else str(allowance.per_day)) if "per_day" in possible else None,
        in_browser=allowance.in_browser if asks else None,
        are_set=allowance != Allowance(level=allowance.level),
    )


def read_conditions(fields: Sequence[tuple[str, str]], capability: str, level: Level) -> Allowance:
    """Read the fields of one capability.

    Raises:
        InvalidAccess: A value is not valid; the message is a sentence for the person.
    """
    asks = ("confirm",) if "ask" in CAPABILITIES[capability] else ()
    parts = [f"{capability}={level}"]
    for name in (*CONDITIONS.get(capability, ()), *asks):
        words = _words(fields, capability, name)
        if words:
            parts.append(f"{name}={'+'.join(words)}")
    try:
        return parse_access(":".join(parts))[capability]
    except InvalidAccess as fault:
        _, name, what = str(fault).split(": ", 2)
        raise _invalid(capability, name, what) from None


def _words(fields: Sequence[tuple[str, str]], capability: str, name: str) -> list[str]:
    """Return the words in all fields of a condition, without repetitions."""
    texts = values(fields, f"{name}-{capability}")
    words = dict.fromkeys(word for text in texts for word in _SEPARATORS.split(text) if word)
    for word in words:
        if not _WORD.fullmatch(word):  # in the text of access it could mean something else
            raise _invalid(capability, name, f'"{word[:60]}" cannot stand there.')
    return [word.removeprefix("@") for word in words]


def _invalid(capability: str, name: str, what: str) -> InvalidAccess:
    return InvalidAccess(f"{WORDS[capability].title}, {_NOUNS[name]}: {what}")


def _boxes(names: Mapping[str, str], chosen: Collection[str]) -> tuple[Box, ...]:
    return tuple(Box(uuid, name, uuid in chosen) for uuid, name in names.items())


def _line(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
