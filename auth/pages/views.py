"""What pages show: agents, entries of the audit log, and times in the person's zone."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from auth.access.condition_fields import Conditions, show_conditions
from auth.access.levels import CONDITIONS, OFF, Access, Level
from auth.access.offers import Levels, Offer, Part, cut, offer
from auth.access.words import by_level
from auth.audit.entries import AuditEntry
from auth.endpoints.html import app_name
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.site import MeetingName, Site
from auth.grants.agent_rows import GrantedAgent
from auth.pages.log_words import Wording, ids_of_event_types, ids_of_meetings, in_words
from auth.protocol.redirect_uris import destination, is_loopback
from calendly.identifiers import UserId

JOB: Final = "agent"
"""The kind of a client for which an operator made a token."""

_HERE: Final = "a program on your own computer"


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the audit log, as a page shows it.

    Attributes:
        time: When it was, in the person's zone.
        sentence: What happened.
        is_call: It is about a call of a tool.
    """

    time: str
    sentence: str
    is_call: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An agent, as a list shows it.

    Attributes:
        id: The id of its grant.
        name: What it is called.
        is_job: An operator made its token.
        place: Where it has the browser sent back to, empty for a job.
        let_in: When the person let it in.
        ends: When its token ends, None for one that is refreshed.
        last_call: When it called a tool last, as far as `recent` shows.
        levels: The name of each level, and the capabilities that have it.
        recent: What it did last.
    """

    id: str
    name: str
    is_job: bool
    place: str
    let_in: str
    ends: str | None
    last_call: str | None
    levels: Sequence[tuple[str, str]]
    recent: Sequence[Told]


@dataclass(frozen=True, slots=True)
class Row:
    """A capability, as the page of one agent shows it.

    Attributes:
        part: What can be chosen.
        conditions: The fields of its conditions, None if it can have none.
        later: Which levels need a new sign-in of the app, None if none does.
        chosen: What is chosen, and waits for that sign-in; None where nothing does.
    """

    part: Part
    conditions: Conditions | None
    later: str | None
    chosen: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen for an agent now.

    Attributes:
        levels: The levels of each capability.
        shown: What is chosen; a level beyond the agent's scopes waits for a new sign-in of the app.
        offer: The choices, for a page.
    """

    levels: Levels
    shown: Access
    offer: Offer


def name_of(agent: GrantedAgent) -> str:
    """Return the name of an agent for people."""
    return app_name(agent.name)


def choices(site: Site, agent: GrantedAgent) -> Choices:
    """Return what can be chosen for an agent.

    The token of a job never gets another scope. Any other client can ask its person for more scopes, so the levels
    that need them can be chosen before.
    """
    everything, now = site.levels(site.offered), site.levels(agent.scopes)
    levels = now if agent.kind == JOB else everything
    shown = cut(levels, agent.access)
    return Choices(levels, shown, offer(levels, everything, shown, site.capabilities))


def has_condition(found: Choices, condition: str) -> bool:
    """Say whether a capability that can be chosen can have a condition."""
    return any(condition in CONDITIONS.get(name, ()) for name in found.levels)


def rows(
    site: Site, agent: GrantedAgent, found: Choices, event_types: Mapping[str, str], people: Mapping[str, str]
) -> list[Row]:
    """Return the capabilities for the page of one agent."""
    now = site.levels(agent.scopes)
    return [
        Row(
            part,
            show_conditions(part.capability, found.shown[part.capability], event_types, people),
            _later(part, now),
            _chosen(part, agent.access.get(part.capability, OFF).level, now),
        )
        for part in found.offer.parts
    ]


def hosts_of(person: str, colleagues: Mapping[str, str]) -> Mapping[str, str]:
    """Return the names of the hosts that a person can choose, by uuid; the person comes first."""
    return {UserId.parse(person).uuid: "Me", **{k: v for k, v in colleagues.items() if k != UserId.parse(person).uuid}}


def _later(part: Part, now: Levels) -> str | None:
    """Say which levels need a new sign-in of the app, None if none does."""
    reached = now.get(part.capability, ())[1:]
    beyond = [option.words for option in part.options if option.level not in {"off", *reached}]
    if not beyond:
        return None
    named = "" if len(beyond) == len(part.options) - 1 else f"{' and '.join(f'“{words}”' for words in beyond)}: "
    return f"{named}after a new sign-in of the app"


def _chosen(part: Part, level: Level, now: Levels) -> str | None:
    """Return the words of a chosen level that the app's sign-in does not reach yet."""
    reached = now.get(part.capability, ("off",))
    return next((option.words for option in part.options if option.level == level and level not in reached), None)


def card(site: Site, agent: GrantedAgent, timezone: str | None, recent: Sequence[Told]) -> Card:
    """Return an agent, as a list shows it."""
    places = {_HERE if is_loopback(uri) else destination(uri) for uri in agent.redirect_uris}
    return Card(
        id=agent.id,
        name=name_of(agent),
        is_job=agent.kind == JOB,
        place=", ".join(sorted(places)),
        let_in=said(agent.let_in_at, timezone),
        ends=None if agent.ends_at is None else said(agent.ends_at, timezone),
        last_call=next((told.time for told in recent if told.is_call), None),
        levels=by_level(cut(site.levels(agent.scopes), agent.access)),
        recent=recent,
    )


async def recent(site: Site, session: PageSession, grants: Sequence[str], *, limit: int) -> dict[str, list[Told]]:
    """Return the last entries of the audit log about each agent of the signed-in person, by grant."""
    found = {grant: await site.audit_log.recent(person=session.person, grant=grant, limit=limit) for grant in grants}
    sentences = [entry.sentence for entries in found.values() for entry in entries]
    meetings = await site.names.meetings(session.person, ids_of_meetings(sentences))
    event_types = await site.names.event_types(session.person) if ids_of_event_types(sentences) else dict[str, str]()
    called = {uuid: _called(meeting, session.timezone) for uuid, meeting in meetings.items()}
    wording = Wording(event_types, called, _on_the_clock_of(session))
    return {grant: told_to(session, entries, wording) for grant, entries in found.items()}


def told_to(session: PageSession, entries: Sequence[AuditEntry], wording: Wording) -> list[Told]:
    """Return entries of the audit log, as pages show them to the signed-in person."""
    return [
        Told(said(entry.time, session.timezone), in_words(entry, wording), is_call=entry.tool is not None)
        for entry in entries
    ]


def of_others(session: PageSession) -> Wording:
    """Return how entries about other people are worded for the signed-in owner."""
    return Wording({}, {}, _on_the_clock_of(session), is_own=False)


def _on_the_clock_of(session: PageSession) -> Callable[[datetime], str]:
    return lambda moment: said(moment, session.timezone)


def _called(meeting: MeetingName, timezone: str | None) -> str:
    return f"“{meeting.name}”{f' ({said(meeting.start, timezone)})' if meeting.start else ''}"


def around(site: Site, session: PageSession) -> dict[str, object]:
    """Return what every page shows about the signed-in person."""
    return {
        "session": session,
        "zone": zone_name(session.timezone),
        "is_owner": site.is_owner(session.person, session.email),
    }


def said(moment: datetime, timezone: str | None) -> str:
    """Format a moment in a time zone, such as `1 Dec 2026, 10:00`."""
    local = moment.astimezone(_zone(timezone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def zone_name(timezone: str | None) -> str:
    """Return the name of the time zone in which `said` formats."""
    return str(_zone(timezone))


def _zone(name: str | None) -> tzinfo:
    """Find a time zone; UTC if Calendly gave none or it is not known."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):  # OSError: the name of a folder in the time zone database
        return UTC
