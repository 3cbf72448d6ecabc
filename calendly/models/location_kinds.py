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

KINDS: Final[tuple[str, ...]] = get_args(LocationKind)

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

_IN_EVENTS: Final[Mapping[str, str]] = {"gotomeeting_conference": "gotomeeting"}

KINDS_IN_EVENTS: Final[Mapping[str, str]] = MappingProxyType({_IN_EVENTS.get(kind, kind): kind for kind in KINDS})
"""By the name that a scheduled event gives a kind, the name by which it is written."""


def listed(kinds: tuple[str, ...]) -> str:
    """Return names as a sentence has them."""
    return f"{', '.join(kinds[:-1])} or {kinds[-1]}"
