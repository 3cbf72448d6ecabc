"""The page of one agent, with its levels and conditions.

GET  /connections/AGENT                shows it
POST /connections/AGENT                changes what it may do, from the next call of its tokens on
POST /connections/AGENT/disconnection  ends it

Which agent is meant is looked up among those of who is signed in, and nowhere else.
"""

from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import page_sessions, stored_agents, stored_grants, stored_restrictions
from auth.access import Access
from auth.access_text import InvalidAccess
from auth.agent_views import Choices, card, choices, has_event_types, name_of, rows
from auth.agents_page import PATH, around, recent
from auth.capability_words import changes
from auth.condition_forms import read_conditions
from auth.ending import end_grant
from auth.errors import NotThere
from auth.offers import choose
from auth.page_sessions import go_on, take_message
from auth.parameters import Pairs
from auth.realm import Realm
from auth.record import Note
from auth.restrictions import Known, place, remember
from auth.stored_agents import Agent
from auth.stored_page_sessions import PageSession

_RECENT: Final = 25
"""Entries of the record that are shown."""


def agent_routes(realm: Realm) -> list[Route]:
    """Make the routes."""

    async def find(request: Request, session: PageSession) -> Agent:
        async with realm.database.read() as connection:
            return await _own(connection, session, request.path_params["agent"])

    async def show(request: Request, session: PageSession) -> Response:
        agent = await find(request, session)
        return await _show(realm, session, agent, {"message": await take_message(realm, session), "fault": None})

    async def change(request: Request, session: PageSession, fields: Pairs) -> Response:
        return await _change(realm, session, await find(request, session), fields)

    async def disconnect(request: Request, session: PageSession, _fields: Pairs) -> Response:
        agent = await find(request, session)
        await end_grant(realm, agent.id)
        await realm.record.note(_note(agent, "disconnect", "{person} disconnected {agent}"))
        return await go_on(realm, session, PATH, f"{name_of(agent)} is disconnected. Its tokens are no good any more.")

    path = f"{PATH}/{{agent}}"
    return [
        page_sessions.page(realm, path, show),
        page_sessions.form(realm, path, change),
        page_sessions.form(realm, f"{path}/disconnection", disconnect, back_to=PATH),
    ]


async def _own(connection: AsyncConnection, session: PageSession, agent_id: str) -> Agent:
    agent = await stored_agents.find(connection, agent_id)
    if agent is None or agent.person != session.person:
        raise NotThere("There is no such agent among yours; it may have been disconnected meanwhile.")
    return agent


async def _show(realm: Realm, session: PageSession, agent: Agent, said: dict[str, str | None]) -> Response:
    found = choices(realm, agent)
    event_types = await realm.event_types.names(session.person) if has_event_types(found) else dict[str, str]()
    recorded = await recent(realm, session, grant=agent.id, limit=_RECENT)
    values = {
        "card": card(realm, agent, session.timezone, recorded),
        "rows": rows(realm, agent, found, event_types),
        "offer": found.offer,
        **said,
        **around(realm, session),
    }
    return realm.pages.form("agent.html", values, status=200 if said["fault"] is None else 400)


async def _change(realm: Realm, session: PageSession, agent: Agent, fields: Pairs) -> Response:
    found = choices(realm, agent)
    try:
        sent = _read(fields, found)
    except InvalidAccess as fault:
        return await _show(realm, session, agent, {"message": None, "fault": str(fault)})
    changed = {name: allowance for name, allowance in sent.items() if allowance != found.shown[name]}
    async with realm.database.begin() as connection:
        await stored_grants.hold_person(connection, agent.id)
        current = await _own(connection, session, agent.id)
        await stored_agents.set_access(connection, agent.id, {**current.access, **changed})
        await _remember(realm, connection, agent, changed, found.shown)
    told = changes(found.shown, {**found.shown, **changed})
    if not told:
        return await go_on(realm, session, f"{PATH}/{agent.id}", "Nothing was changed.")
    await realm.record.note(
        _note(agent, "change_access", f"{{person}} changed what {{agent}} may do ({' '.join(told)})")
    )
    return await go_on(realm, session, f"{PATH}/{agent.id}", f"{' '.join(told)} This holds from its next call on.")


def _read(fields: Pairs, found: Choices) -> Access:
    """Read the form. Raises InvalidAccess."""
    chosen = choose(fields, found.levels)
    return {name: read_conditions(fields, name, allowance.level) for name, allowance in chosen.items()}


async def _remember(realm: Realm, connection: AsyncConnection, agent: Agent, chosen: Access, before: Access) -> None:
    """Remember what the person took from an agent, for when it comes again."""
    for where in {place(uri) for uri in agent.redirect_uris}:
        known = Known(agent.person, agent.name, where)
        memory = await stored_restrictions.recall(connection, known)
        remembered = remember(memory, chosen, before)
        if remembered != memory:
            await stored_restrictions.put(connection, known, remembered, realm.now())


def _note(agent: Agent, action: str, told: str) -> Note:
    return Note(action=action, told=told, person=agent.person, agent=agent.name or "", grant=agent.id, source="person")
