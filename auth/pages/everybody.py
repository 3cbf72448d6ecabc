"""The page for owners: GET /connections/all shows all people and all agents, POST disconnects an agent.

With `?person=URI` it shows one person, and what that person's agents did. Owners are
named in the settings. Everybody else gets a 404.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints import page_sessions
from auth.endpoints.ending import end_grant
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.page_sessions import go_on, take_message
from auth.endpoints.site import Site
from auth.grants import agent_rows
from auth.pages.agents import PATH
from auth.pages.views import Card, around, card, name_of, of_others, told_to
from auth.protocol.errors import NotThere
from auth.protocol.parameters import Pairs, only, read_query

_PATH: Final = f"{PATH}/all"

_PEOPLE: Final = 50
"""How many people are on one page."""

_RECENT: Final = 50
"""How many entries of the audit log are shown."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A person and their agents.

    Attributes:
        name: Their name, else their e-mail address, else their URI.
        email: Their e-mail address at Calendly.
        uri: Their Calendly user URI.
        cards: Their agents.
    """

    name: str
    email: str | None
    uri: str
    cards: Sequence[Card]


def owners_routes(site: Site) -> list[Route]:
    """Make the routes."""

    async def show(request: Request, session: PageSession) -> Response:
        _check(site, session)
        query = read_query(request)
        after, person = only(query, "after") or "", only(query, "person")
        groups = await _groups(site, session, after, person)
        called = {group.uri: f"“{group.name}”" for group in groups}
        entries = [] if after else await site.audit_log.recent(person=person, limit=_RECENT, called=called)
        values = {
            "groups": groups,
            "person": groups[0] if person and groups else None,
            "following": groups[-1].uri if len(groups) == _PEOPLE else None,
            "recent": told_to(session, entries, of_others(session)),
            "message": await take_message(site, session),
            **around(site, session),
        }
        return site.pages.form("owners.html", values)

    async def disconnect(_request: Request, session: PageSession, fields: Pairs) -> Response:
        _check(site, session)
        async with site.database.read() as connection:
            agent = await agent_rows.find(connection, only(fields, "agent") or "")
        if agent is None:
            raise NotThere("There is no such agent.")
        await end_grant(site, agent.id)
        told = "an owner of this server disconnected {agent} of {person}"
        note = AuditNote(action="disconnect", told=told, person=agent.person, agent=agent.name or "", grant=agent.id)
        await site.audit_log.note(note)
        return await go_on(site, session, _PATH, f"{name_of(agent)} is disconnected.")

    return [page_sessions.page(site, _PATH, show), page_sessions.form(site, _PATH, disconnect)]


def _check(site: Site, session: PageSession) -> None:
    if not site.is_owner(session.person, session.email):
        raise NotThere("There is no such agent among yours; it may have been disconnected meanwhile.")


async def _groups(site: Site, session: PageSession, after: str, only_person: str | None) -> list[_Group]:
    """Return the people of one page, in the order of their URIs, with their agents.

    Raises NotThere for a person without an agent.
    """
    async with site.database.read() as connection:
        people = await agent_rows.find_people(connection, after, _PEOPLE, only=only_person)
        agents = await agent_rows.find_all(connection, [person.uri for person in people])
    if only_person and not people:
        raise NotThere("Nobody of that address has an agent connected here.")
    return [
        _Group(
            person.name or person.email or person.uri,
            person.email,
            person.uri,
            [card(site, agent, session.timezone, ()) for agent in agents if agent.person == person.uri],
        )
        for person in people
    ]
