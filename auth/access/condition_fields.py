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
_LISTED: Final = re.compile(r"[,;\r\n]+")
_ID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-Z]{16,64}")
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


def with_ids(fields: Sequence[tuple[str, str]], names: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return the fields with ids in the place of names.

    Args:
        fields: The fields of the form.
        names: For `event_types` and `hosts`, the names by uuid, none where they cannot be read now.

    Raises:
        InvalidAccess: Something is neither an id nor the name of exactly one; the message is a sentence for the person.
    """
    return [(field, _ids(field, text, names)) for field, text in fields]


def _ids(field: str, text: str, names: Mapping[str, Mapping[str, str]]) -> str:
    condition, _, capability = field.partition("-")
    if condition not in names or capability not in CAPABILITIES:
        return text
    known, found = names[condition], list[str]()
    for part in [text] if _called(text, known) else _LISTED.split(text):
        called = _called(part, known)
        if len(called) > 1:
            raise _invalid(capability, condition, f'several are called "{part.strip()[:60]}"; tick the one.')
        words = called or part.split()
        if not all(word in known or _ID.fullmatch(word) for word in words):
            hint = "" if known else " Their names cannot be read now, so only ids can stand there."
            raise _invalid(capability, condition, f'there is no "{part.strip()[:60]}".{hint}')
        found += words
    return ", ".join(found)


def _called(text: str, known: Mapping[str, str]) -> list[str]:
    name = " ".join(text.split()).casefold()
    return [uuid for uuid, one in known.items() if name and " ".join(one.split()).casefold() == name]


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


def not_there(capability: str, name: str, uuids: Iterable[str]) -> InvalidAccess:
    """Return the error that Calendly has nothing with these ids, or does not show it to the person."""
    return _invalid(capability, name, f"Calendly shows you none with the id {', '.join(sorted(uuids))}.")


def _invalid(capability: str, name: str, what: str) -> InvalidAccess:
    return InvalidAccess(f"{WORDS[capability].title}, {_NOUNS[name]}: {what}")


def _boxes(names: Mapping[str, str], chosen: Collection[str]) -> tuple[Box, ...]:
    return tuple(Box(uuid, name, uuid in chosen) for uuid, name in names.items())


def _line(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
