"""Calendly's scopes. A write scope includes its read scope."""

from collections.abc import Collection
from typing import Final

_FAMILIES: Final = (
    "availability",
    "contacts",
    "event_types",
    "meeting_recaps",
    "organizations",
    "scheduled_events",
    "shares",
    "webhooks",
)

READ_SCOPES: Final = frozenset(
    {f"{family}:read" for family in _FAMILIES}
    | {
        "activity_log:read",
        "groups:read",
        "locations:read",
        "outgoing_communications:read",
        "routing_forms:read",
        "users:read",
    }
)

ALL_SCOPES: Final = READ_SCOPES | frozenset(
    {f"{family}:write" for family in _FAMILIES} | {"data_compliance:write", "scheduling_links:write"}
)


def grants(held: Collection[str] | None, wanted: str) -> bool:
    """Return whether the `held` scopes include `wanted`.

    None, for a token from before scopes, includes all.
    """
    if held is None or wanted in held:
        return True
    family, _, access = wanted.partition(":")
    return access == "read" and f"{family}:write" in held
