"""The scopes of the tokens that we issue: Calendly's own, and the two bundles of Calendly's hosted MCP server.

A set of scopes holds the names as they were asked for. `calendly.scopes` knows that a write scope includes its read.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from auth.protocol.errors import InvalidScope
from calendly.scopes import SCOPES, expand, includes

Scopes = frozenset[str]

_READING: Final = ("users:read", "event_types:read", "scheduled_events:read", "availability:read")

BUNDLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "mcp:scheduling:read": _READING,
        "mcp:scheduling:write": (
            *_READING,
            "scheduled_events:write",
            "event_types:write",
            "scheduling_links:write",
            "availability:write",
        ),
    }
)
"""The bundles of mcp.calendly.com and their scopes. Tokens carry these scopes, never the name of a bundle."""

# RFC 6749, 3.3: printable ASCII without quotation mark and backslash.
_SCOPE_TOKEN: Final = re.compile(r"[!#-\[\]-~]+")
_KNOWN: Final = frozenset({*SCOPES, *BUNDLES})


def published(offered: Collection[str]) -> tuple[str, ...]:
    """Return every name that /authorize accepts if this server offers `offered`, in Calendly's order."""
    names = tuple(scope for scope in SCOPES if includes(offered, {scope}))
    return (*names, *(bundle for bundle, scopes in BUNDLES.items() if expand(offered).intersection(scopes)))


def ask(text: str | None, offered: Collection[str]) -> Scopes:
    """Read the `scope` that a client asks for.

    Unknown names, such as `openid`, are ignored. Without any known name the client asks for everything offered, and the
    person chooses.

    Raises:
        InvalidScope: It is not a list of scopes, or this server offers none of them.
    """
    known = _KNOWN.intersection(_parse(text))
    if not known:
        return frozenset(offered)
    named = {scope for name in known for scope in BUNDLES.get(name, (name,))}
    given = frozenset(scope for scope in named if includes(offered, {scope}))
    if not given:
        raise InvalidScope("This server gives none of the scopes that were asked for.")
    return given


def narrow(text: str | None, given: Scopes) -> Scopes:
    """Read the `scope` of a refresh (RFC 6749, 6): all scopes that were granted, or some of them.

    Raises:
        InvalidScope: It is not a list of scopes, or has more than was granted.
    """
    known = _KNOWN.intersection(_parse(text))
    if not known:
        return given
    narrowed = least({scope for name in known for scope in BUNDLES.get(name, (name,))}, given)
    # A bundle is narrowed to its scopes that were granted. Any other name must have been granted.
    if not narrowed or not includes(given, known.difference(BUNDLES)):
        raise InvalidScope("A refresh cannot widen the scope.")
    return narrowed


def least(some: Iterable[str], others: Iterable[str]) -> Scopes:
    """Return what both sets allow: the names of either that the other includes, and none that another name includes."""
    return _least(frozenset(some), frozenset(others))


@lru_cache(maxsize=256)  # asked anew for every call
def _least(some: Scopes, others: Scopes) -> Scopes:
    common = {scope for scope in some if includes(others, {scope})}
    return frozenset(common | {scope for scope in others - expand(common) if includes(some, {scope})})


def spell(scopes: Iterable[str]) -> str:
    """Write scopes as they are stored and sent, in Calendly's order."""
    return " ".join(sorted(scopes, key=SCOPES.index))


def _parse(text: str | None) -> list[str]:
    names = (text or "").split(" ")
    if not all(_SCOPE_TOKEN.fullmatch(name) for name in names if name):
        raise InvalidScope("scope is a list of names separated by spaces.")
    return names
