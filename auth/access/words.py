"""Names and descriptions of capabilities and levels, for people."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from auth.access.levels import CAPABILITIES, OFF, Access, Allowance, Level


@dataclass(frozen=True, slots=True)
class Words:
    """The description of a capability.

    Attributes:
        title: Its name.
        reading: What an agent sees with it, to follow `sees`; empty if it reads nothing.
        writing: What an agent does with it, a clause of its own; empty if it changes nothing.
        sees: How the sentence about reading begins.
    """

    title: str
    reading: str = ""
    writing: str = ""
    sees: str = "See"

    @property
    def only_reading(self) -> str:
        """Return what an agent sees with it, in one line."""
        return f"{self.sees} {self.reading}."

    @property
    def sentence(self) -> str:
        """Return the description in one line."""
        parts = (f"{self.sees} {self.reading}" if self.reading else "", self.writing)
        return f"{'. '.join(filter(None, parts))}."


WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "users": Words("Your profile", "your name, e-mail address, time zone and scheduling page"),
        "event_types": Words("Event types", "which kinds of meetings you offer", "Create and change event types"),
        "scheduled_events": Words("Meetings", "your meetings: what, when and where"),
        "invitee_data": Words("Invitees", "who is invited: names, e-mail addresses and their answers"),
        "availability": Words(
            "Availability", "your working hours, when you are busy, and open times", "Change your working hours"
        ),
        "booking": Words("Booking", writing="Book meetings; Calendly then writes to the invitees"),
        "canceling": Words("Canceling", writing="Cancel meetings for good; Calendly then writes to the invitees"),
        "scheduling_links": Words("Scheduling links", writing="Make single-use links with which others book you"),
        "no_shows": Words("No-shows", writing="Mark who did not come to a meeting, and take the mark back"),
        "organization": Words(
            "Organization",
            "who is a member or invited, teams and groups",
            "Invite people to your organization and remove them",
        ),
        "webhooks": Words(
            "Webhooks", "which other systems hear of your meetings", "Have other systems told of your meetings"
        ),
        "data_deletion": Words(
            "Deletion of data", writing="Delete for good what invitees told, or all meetings of a past time"
        ),
        "events": Words(
            "Events",
            "when meetings are booked, moved, canceled or missed, also while you are away",
            sees="Be told",
        ),
        "contacts": Words("Contacts", "your contacts, their lists and notes", "Change contacts, lists and notes"),
        "meeting_recaps": Words(
            "Meeting recaps", "summaries and transcripts of what was said in your meetings", "Change and delete recaps"
        ),
        "routing_forms": Words("Routing forms", "your routing forms and what people answered in them"),
        "activity_log": Words("Activity log", "who did what in your organization, and the messages that Calendly sent"),
    }
)
"""The description of each capability."""

LEVELS: Final[Mapping[Level, str]] = MappingProxyType(
    {"off": "No", "read": "See", "ask": "Ask me each time", "full": "Without asking"}
)
"""The name of each level."""


def by_level(access: Access) -> list[tuple[str, str]]:
    """Describe access: the name of each level but `off`, and the capabilities that have it."""
    return [
        (
            words,
            ", ".join(
                _titled(name, access[name]) for name in CAPABILITIES if name in access and access[name].level == level
            ),
        )
        for level, words in LEVELS.items()
        if level != "off" and any(allowance.level == level for allowance in access.values())
    ]


def _titled(name: str, allowance: Allowance) -> str:
    title = WORDS[name].title
    return f"{title} ({', '.join(conditions(allowance))})" if conditions(allowance) else title


def conditions(allowance: Allowance, names: Mapping[str, str] = MappingProxyType({})) -> tuple[str, ...]:
    """Describe the conditions of an allowance; event types and hosts by name if all their names are known."""
    many = len(allowance.event_types or ())
    kinds = _several(allowance.event_types or (), names, f"{many} event type{'' if many == 1 else 's'}")
    hosts = _several(allowance.hosts or (), names, "certain hosts")
    return tuple(
        filter(
            None,
            (
                "" if allowance.event_types is None else f"only {kinds}",
                "" if allowance.hosts is None else f"only meetings of {hosts}",
                "" if allowance.domains is None else f"only addresses at {', '.join(sorted(allowance.domains))}",
                "" if allowance.per_day is None else f"at most {allowance.per_day} a day",
                "confirmed only on this server's page" if allowance.in_browser else "",
            ),
        )
    )


def _several(uuids: Collection[str], names: Mapping[str, str], otherwise: str) -> str:
    if any(uuid not in names for uuid in uuids):
        return otherwise
    return " and ".join(sorted(f"“{names[uuid]}”" for uuid in uuids))


def changes(before: Access, after: Access, names: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Describe a change of access in sentences; `names` are those of event types and hosts by uuid."""
    said: list[str] = []
    for name in CAPABILITIES:
        old, new = before.get(name, OFF), after.get(name, OFF)
        if old.level != new.level:
            said.append(f"{WORDS[name].title} is now “{LEVELS[new.level]}”.")
        if replace(old, level=new.level) != new:
            said.append(f"{WORDS[name].title}: {', '.join(conditions(new, names)) or 'no conditions any more'}.")
    return said
