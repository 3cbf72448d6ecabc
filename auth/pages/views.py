"""Agents as pages show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from auth.access.condition_fields import Conditions, show_conditions
from auth.access.levels import CONDITIONS, OFF, Access
from auth.access.offers import Levels, Offer, Part, cut, offer
from auth.access.words import by_level
from auth.endpoints.html import NAMELESS
from auth.endpoints.site import Realm
from auth.grants.agent_rows import GrantedAgent
from auth.pages.local_times import said
from auth.protocol.redirect_uris import destination, is_loopback
from calendly.identifiers import UserId

JOB: Final = "agent"
"""The kind of a client that an operator made a token for."""

_HERE: Final = "a program on your own computer"


@dataclass(frozen=True, slots=True)
class Told:
    """An entry of the audit log, for a person: when, the sentence, and whether it is about a call."""

    time: str
    sentence: str
    is_call: bool


@dataclass(frozen=True, slots=True)
class Card:
    """An agent as a list shows it."""

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
    """A capability as the page of one agent shows it."""

    part: Part
    conditions: Conditions | None
    later: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen for an agent now.

    Attributes:
        levels: Of each capability.
        shown: What it may do now, as far as its tokens and the operator let it.
        offer: The choices.
    """

    levels: Levels
    shown: Access
    offer: Offer


def name_of(agent: GrantedAgent) -> str:
    """Return what an agent is called."""
    return agent.name or NAMELESS


def place_of(agent: GrantedAgent) -> str:
    """Say where an agent has the browser sent back to."""
    places = {_HERE if is_loopback(uri) else destination(uri) for uri in agent.redirect_uris}
    return ", ".join(sorted(places))


def choices(realm: Realm, agent: GrantedAgent) -> Choices:
    """Return what can be chosen for an agent.

    The token of a job never gets another scope. Any other client can ask its person for more, so that can be chosen
    before it does.
    """
    everything, now = realm.levels(realm.offered), realm.levels(agent.scopes)
    levels = now if agent.kind == JOB else everything
    shown = {name: replace(agent.access.get(name, OFF), level="off") for name in levels} | dict(cut(now, agent.access))
    return Choices(levels, shown, offer(levels, everything, shown))


def has_event_types(found: Choices) -> bool:
    """Say whether there is a capability to choose that event types can narrow."""
    return any("event_types" in CONDITIONS.get(name, ()) for name in found.levels)


def rows(realm: Realm, agent: GrantedAgent, found: Choices, event_types: Mapping[str, str]) -> list[Row]:
    """Return the parts of the page of one agent."""
    now, person = realm.levels(agent.scopes), UserId.parse(agent.person).uuid
    return [
        Row(
            part,
            show_conditions(part.capability, found.shown[part.capability], person, event_types),
            _later(part, now),
        )
        for part in found.offer.parts
    ]


def _later(part: Part, now: Levels) -> str | None:
    """Say from which level on the app has to sign in again, None when it has the scopes of all."""
    reached = now.get(part.capability, ())[1:]
    beyond = [option.words for option in part.options if option.level not in {"off", *reached}]
    return beyond[0] if beyond else None


def card(realm: Realm, agent: GrantedAgent, timezone: str | None, recent: Sequence[Told]) -> Card:
    """Return an agent as a list shows it."""
    return Card(
        id=agent.id,
        name=name_of(agent),
        is_job=agent.kind == JOB,
        place=place_of(agent),
        let_in=said(agent.let_in_at, timezone),
        ends=None if agent.ends_at is None else said(agent.ends_at, timezone),
        last_call=next((told.time for told in recent if told.is_call), None),
        levels=by_level(choices(realm, agent).shown),
        recent=recent,
    )
