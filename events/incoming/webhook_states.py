"""What has become of Calendly's webhook subscriptions, and whether Calendly can reach this server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from events.incoming.stored_receivers import StoredReceiver
from events.kinds import FAMILIES, KINDS, EventFamily

MOST_REPAIRS: Final = 3
"""In a day."""

REFUSED_OFTEN: Final = 3
"""So many refused signatures in a row mean that Calendly signs with another key."""

_LOCAL_NAMES: Final = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test", ".invalid", ".example")


class WebhookState(StrEnum):
    """What has become of the subscription of a family."""

    OFF = "off"
    MAKING = "being made"
    UNPROVED = "waiting for the first event"
    WORKING = "working"
    FOREIGN_KEY = "signed with another key"
    GIVEN_UP = "disabled again and again"


@dataclass(frozen=True, slots=True)
class FamilyWebhook:
    """The subscription of one family, for people to see.

    Attributes:
        family: The name of the family.
        state: What has become of it.
        last_at: When Calendly last told something.
    """

    family: str
    state: WebhookState
    last_at: datetime | None


def shown_webhooks(rows: Sequence[StoredReceiver]) -> list[FamilyWebhook]:
    """Return the subscriptions of a person that are on, family by family. Pure."""
    by_family = {row.family: row for row in rows if row.state in {"making", "live"}}
    return [
        FamilyWebhook(name, _state_of(row), row.last_at)
        for family in FAMILIES
        for name, row in by_family.items()
        if name == family.name
    ]


def _state_of(row: StoredReceiver) -> WebhookState:
    if row.state == "making":
        return WebhookState.MAKING
    if row.refused >= REFUSED_OFTEN:
        return WebhookState.FOREIGN_KEY
    if row.repairs > MOST_REPAIRS:
        return WebhookState.GIVEN_UP
    return WebhookState.UNPROVED if row.last_at is None else WebhookState.WORKING


def told_by(family: EventFamily) -> list[str]:
    """Return Calendly's names of the events that a family is told by."""
    return list(dict.fromkeys(name for kind in KINDS.values() if kind.family is family for name in kind.told_by))


def out_of_reach(public_url: str, calendly_url: str) -> str | None:
    """Say why Calendly cannot post to this server, None where it can. Pure.

    Args:
        public_url: The address of this server.
        calendly_url: Where Calendly's API is.
    """
    parts, calendly = urlsplit(public_url), urlsplit(calendly_url)
    host = (parts.hostname or "").lower()
    if _is_here(host):
        here = _is_here((calendly.hostname or "").lower())
        return None if here else f"Calendly cannot reach {public_url}, which is an address of this machine only."
    if parts.scheme != "https":
        return f"Calendly posts to https only, and the address of this server is {public_url}."
    if _is_local(host):
        return f"Calendly cannot reach {public_url}, which is an address of a private network."
    return None


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    """Say whether a host is reached in a private network only, by its name or its address."""
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(_LOCAL_NAMES)
