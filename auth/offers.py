"""What the consent page offers: the scopes that a client asks for, in words that a person would use, part by part.

The page shows one part for each capability with a choice in it. What comes back is read against the same offer, so a
form can choose less than was asked for and never more.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from auth.scopes import Scopes
from calendly.scopes import includes


@dataclass(frozen=True, slots=True)
class Choice:
    """One scope that can be allowed.

    Attributes:
        scope: Calendly's name.
        words: What it lets the client do; follows "It may".
        writes: It changes something.
        preselected: It is ticked before the person touched the page.
    """

    scope: str
    words: str
    writes: bool
    preselected: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One capability and the choices in it."""

    title: str
    choices: tuple[Choice, ...]


_WORDS: Final = (
    ("Your profile", {"users:read": "see your name, e-mail address, time zone and scheduling page"}),
    (
        "Event types",
        {
            "event_types:read": "see your event types",
            "event_types:write": "create and change event types",
        },
    ),
    (
        "Meetings",
        {
            "scheduled_events:read": "see your meetings and who is invited, with their answers",
            "scheduled_events:write": "book meetings and cancel them; Calendly then writes to the invitees",
        },
    ),
    (
        "Availability",
        {
            "availability:read": "see your working hours and when you are busy",
            "availability:write": "change your working hours",
        },
    ),
    (
        "Scheduling links",
        {
            "scheduling_links:write": "create single-use links with which others book you",
            "shares:write": "create links to adjusted copies of your event types",
        },
    ),
    (
        "Organization",
        {
            "organizations:read": "see who is a member of your organization or invited to it",
            "organizations:write": "invite people to your organization and remove them",
            "groups:read": "see the groups of your organization",
            "activity_log:read": "read your organization's activity log",
        },
    ),
    (
        "Webhooks",
        {
            "webhooks:read": "see to which other systems Calendly reports your meetings",
            "webhooks:write": "have Calendly report your meetings to other systems",
        },
    ),
    (
        "Contacts and communication",
        {
            "contacts:read": "see your contacts",
            "contacts:write": "create, change and delete contacts",
            "outgoing_communications:read": "see the messages that Calendly sent for you",
            "meeting_recaps:read": "read recaps and transcripts of your meetings",
            "meeting_recaps:write": "change recaps of your meetings",
        },
    ),
    (
        "Forms and places",
        {
            "routing_forms:read": "see your routing forms and what was submitted to them",
            "locations:read": "see the places where you meet",
        },
    ),
    ("Deletion of data", {"data_compliance:write": "delete invitees' data for good, for every meeting they had"}),
)

# A client that asks for everything did not think about it, so the page does: what shows others' data beyond meetings,
# sends data elsewhere or cannot be undone is left to the person to tick.
_PRESELECTED: Final = frozenset(
    {
        "users:read",
        "event_types:read",
        "scheduled_events:read",
        "scheduled_events:write",
        "availability:read",
        "scheduling_links:write",
    }
)


def offer(asked: Scopes, offered: Scopes) -> tuple[Part, ...]:
    """Lay out the choices.

    Args:
        asked: The scopes that the client asks for.
        offered: All that this server has to give. A client that asks for less than that asked for what it needs, so all
            of it is preselected.
    """
    preselected = (_PRESELECTED & asked if includes(asked, offered) else asked) or asked
    parts = (
        Part(
            title,
            tuple(
                Choice(scope, text, writes=scope.endswith(":write"), preselected=scope in preselected)
                for scope, text in words.items()
                if scope in asked
            ),
        )
        for title, words in _WORDS
    )
    return tuple(part for part in parts if part.choices)


def choose(chosen: Iterable[str], asked: Scopes) -> Scopes:
    """Return what a form allows of what was asked for."""
    return asked.intersection(chosen)
