"""Calendly's scopes (developer.calendly.com, "Scopes", introduced on 2026-03-03)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

SCOPES: Final = (
    "users:read",
    "event_types:read",
    "event_types:write",
    "availability:read",
    "availability:write",
    "scheduled_events:read",
    "scheduled_events:write",
    "scheduling_links:write",
    "shares:read",
    "shares:write",
    "locations:read",
    "routing_forms:read",
    "organizations:read",
    "organizations:write",
    "groups:read",
    "webhooks:read",
    "webhooks:write",
    "data_compliance:write",
    "activity_log:read",
    "outgoing_communications:read",
    "contacts:read",
    "contacts:write",
    "meeting_recaps:read",
    "meeting_recaps:write",
)

# The scope of tokens from before 2026-03-03, which have full access until they are refreshed.
_UNSCOPED: Final = "default"


GUIDE_SCOPES: Final = frozenset(
    {
        *("users:read", "event_types:read", "event_types:write", "scheduled_events:read", "scheduled_events:write"),
        *("availability:read", "scheduling_links:write", "organizations:read", "organizations:write"),
        *("webhooks:read", "webhooks:write", "data_compliance:write"),
    }
)
"""The scopes of the guide's 28 endpoints."""


def expand(granted: Iterable[str]) -> frozenset[str]:
    """Return `granted` with the scopes it includes: a write scope includes its read scope."""
    return _expanded(frozenset(granted))


@lru_cache(maxsize=256)  # each call asks about the same few sets again and again
def _expanded(granted: frozenset[str]) -> frozenset[str]:
    scopes = granted.union(SCOPES) if _UNSCOPED in granted else granted
    return scopes | {f"{scope.removesuffix(':write')}:read" for scope in scopes if scope.endswith(":write")}


def includes(granted: Iterable[str], needed: Iterable[str]) -> bool:
    """Return whether the `granted` scopes include all of `needed`."""
    return expand(granted).issuperset(needed)
