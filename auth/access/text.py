"""Reads and writes access as text, for flags, files, the database and the audit log.

    capability=level:condition=value+value,...      canceling=off,booking=ask:domains=example.com+example.org:per_day=5

A condition is one of `auth.access.levels.CONDITIONS` or `confirm=browser`. Event types and users are given by uuid.
"""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

from auth.access.levels import CAPABILITIES, CONDITIONS, Access, Allowance, Level
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId

_LISTS: Final = ("event_types", "hosts", "domains")
_CONFIRM, _BROWSER = "confirm", "browser"
_ECHOED: Final = 60
_MOST_A_DAY: Final = 100_000
_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")


class InvalidAccess(ValueError):
    """The text is not valid access; the message is a sentence that names the wrong part."""


@lru_cache(maxsize=1024)
def parse_access(text: str) -> Access:
    """Read access. Capabilities that are not named are left out.

    Raises:
        InvalidAccess: A name is unknown or repeated, or a value is not valid.
    """
    access: dict[str, Allowance] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        first, *conditions = part.split(":")
        capability, level = (word.lower() for word in _pair(first, "capability=level"))
        if capability in access:
            raise InvalidAccess(f"{capability} comes twice.")
        level = _level(capability, level)
        access[capability] = Allowance(level=level, **_conditions(capability, conditions))
    return MappingProxyType(access)


def read_access(text: str) -> Access:
    """Read stored access. Text that cannot be read allows nothing."""
    try:
        return parse_access(text)
    except InvalidAccess:
        return MappingProxyType({})


def spell_access(access: Access) -> str:
    """Write access, with capabilities in the order of `CAPABILITIES`."""
    return ",".join(_spelled(name, access[name]) for name in CAPABILITIES if name in access)


def _spelled(capability: str, allowance: Allowance) -> str:
    parts = [f"{capability}={allowance.level}"]
    for name in _LISTS:
        values: frozenset[str] | None = getattr(allowance, name)
        if values is not None:
            parts.append(f"{name}={'+'.join(sorted(values))}")
    if allowance.per_day is not None:
        parts.append(f"per_day={allowance.per_day}")
    if allowance.in_browser:
        parts.append(f"{_CONFIRM}={_BROWSER}")
    return ":".join(parts)


def _pair(text: str, form: str) -> tuple[str, str]:
    name, separator, value = (piece.strip() for piece in text.partition("="))
    if not separator:
        raise InvalidAccess(f'"{text.strip()[:_ECHOED]}" is not of the form {form}.')
    return name, value


def _level(capability: str, level: str) -> Level:
    possible = CAPABILITIES.get(capability)
    if possible is None:
        close = get_close_matches(capability, CAPABILITIES, n=1)
        hint = f"did you mean {close[0]}?" if close else f"the capabilities are {', '.join(CAPABILITIES)}."
        raise InvalidAccess(f'There is no capability "{capability[:_ECHOED]}"; {hint}')
    for known in possible:
        if known == level:
            return known
    raise InvalidAccess(f'{capability} cannot be "{level[:_ECHOED]}"; it can be {", ".join(possible)}.')


def _conditions(capability: str, texts: list[str]) -> dict[str, Any]:
    possible = (*CONDITIONS.get(capability, ()), *((_CONFIRM,) if "ask" in CAPABILITIES[capability] else ()))
    found: dict[str, Any] = {}
    for text in texts:
        name, value = _pair(text, "condition=value")
        if name not in possible:
            hint = f"it can have {', '.join(possible)}." if possible else "it can have none."
            raise InvalidAccess(f'{capability} has no condition "{name[:_ECHOED]}"; {hint}')
        if name in found:
            raise InvalidAccess(f"{capability}: {name} comes twice.")
        try:
            found[name] = _READERS[name](value)
        except ValueError as fault:
            raise InvalidAccess(f"{capability}: {name}: {fault}") from None
    return {"in_browser": found.pop(_CONFIRM, False), **found}


def _event_types(text: str) -> frozenset[str]:
    return frozenset(_uuid(EventTypeId.parse, value, "event types") for value in text.split("+"))


def _hosts(text: str) -> frozenset[str]:
    return frozenset(_uuid(UserId.parse, value, "users") for value in text.split("+"))


def _uuid(parse: Callable[[str], EventTypeId | UserId], text: str, kind: str) -> str:
    try:
        uuid = parse(text.strip()).uuid
    except InvalidIdentifier:
        uuid = UserId.ME.uuid
    if uuid == UserId.ME.uuid:
        raise ValueError(f'{kind} are named by uuid, several with +; got "{text[:_ECHOED]}".')
    return uuid


def _domains(text: str) -> frozenset[str]:
    domains = [domain.strip().lower() for domain in text.split("+")]
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            raise ValueError(f'"{domain[:_ECHOED]}" is no domain such as example.com; several are joined with +.')
    return frozenset(domains)


def _per_day(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > _MOST_A_DAY:
        raise ValueError("must be a number of bookings.")
    return int(text)


def _confirm(text: str) -> bool:
    if text != _BROWSER:
        raise ValueError(f"can only be {_BROWSER}.")
    return True


_READERS: Final[Mapping[str, Callable[[str], object]]] = MappingProxyType(
    {"event_types": _event_types, "hosts": _hosts, "domains": _domains, "per_day": _per_day, _CONFIRM: _confirm}
)
