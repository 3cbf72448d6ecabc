"""The kinds of places at which meetings happen (developer.calendly.com, "Create Event Invitee")."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

LocationKind = Literal[
    "physical",
    "outbound_call",
    "ask_invitee",
    "custom",
    "inbound_call",
    "zoom_conference",
    "google_conference",
    "gotomeeting_conference",
    "microsoft_teams_conference",
    "webex_conference",
]
"""As an event type names them, and as they are written."""

KINDS: Final[tuple[LocationKind, ...]] = get_args(LocationKind)

PLACE_NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "physical": "the address",
        "outbound_call": "the invitee's phone number",
        "ask_invitee": "where the invitee wants to meet",
        "custom": "where to meet",
    }
)
"""The kinds that a booking names with a place, and which."""

NAMED_BY_INVITEE: Final = frozenset({"outbound_call", "ask_invitee"})
"""Those of them whose place is the invitee's own; the event type may say the others."""

_IN_EVENTS: Final[Mapping[str, str]] = {"zoom_conference": "zoom", "gotomeeting_conference": "gotomeeting"}

KINDS_IN_EVENTS: Final[tuple[str, ...]] = tuple(_IN_EVENTS.get(kind, kind) for kind in KINDS)
"""As scheduled events name them."""

_WRITTEN: Final[Mapping[str, LocationKind]] = {
    name: kind for kind in KINDS for name in (kind, _IN_EVENTS.get(kind, kind))
}


def written_kind(name: str) -> LocationKind | None:
    """Return the name by which a kind is written, given either of its names; None for an unknown kind."""
    return _WRITTEN.get(name)


def listed(kinds: tuple[str, ...]) -> str:
    """Return names as a sentence has them."""
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"
