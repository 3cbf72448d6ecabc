"""The page of a person's agents: what each may do and did, to be changed and ended.

GET  /connections                     all of them
POST /connections                     disconnects all, and deletes what is stored of the person
GET  /connections/AGENT               one, with its levels and conditions
POST /connections/AGENT               changes them, for the next call of its tokens
POST /connections/AGENT/disconnection ends it

Whatever a form names is looked up among what is the signed-in person's, and nowhere else.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth import agent_views, page_sessions, stored_agents, stored_grants, stored_restrictions
from auth.access import Access
from auth.access_text import InvalidAccess
from auth.agent_views import Choices, Told
from auth.answers import page_route
from auth.capability_words import changes
from auth.condition_forms import read_conditions
from auth.ending import end_grant, forget
from auth.errors import NotThere, Stopped
from auth.forms import only
from auth.local_times import said, zone_name
from auth.offers import choose
from auth.page_sessions import PageSession
from auth.pages import Back
from auth.parameters import Pairs
from auth.realm import Realm
from auth.restrictions import Known, place, remember
from auth.stored_agents import Agent

PATH: Final = "/connections"
FAILED: Final = "That did not work"

_RECENT: Final = 3
"""Entries of the record for each agent in the list."""

_MANY_RECENT: Final = 25
"""Entries of the record on the page of one agent."""


def agents_routes(realm: Realm) -> list[Route]:
    """Make the routes."""

    async def show_all(request: Request) -> Response:
        session = await page_sessions.require(realm, request)
        return session if isinstance(session, Response) else await _show_all(realm, session)

    async def show_one(request: Request) -> Response:
        session = await page_sessions.require(realm, request)
        if isinstance(session, Response):
            return session
        agent = await _find(realm, session, request)
        return await _show_one(realm, session, agent, message=await page_sessions.take_message(realm, session))

    async def delete_all(request: Request) -> Response:
        posted = await page_sessions.take_form(realm, request, back_to=PATH)
        return posted if isinstance(posted, Response) else await _delete_all(realm, *posted)

    async def change(request: Request) -> Response:
        posted = await page_sessions.take_form(realm, request, back_to=request.url.path)
        if isinstance(posted, Response):
            return posted
        session, fields = posted
        return await _change(realm, session, await _find(realm, session, request), fields)

    async def disconnect(request: Request) -> Response:
        posted = await page_sessions.take_form(realm, request, back_to=PATH)
        if isinstance(posted, Response):
            return posted
        session, _ = posted
        agent = await _find(realm, session, request)
        await end_grant(realm, agent.id)
        return await page_sessions.go_on(realm, session, PATH, f"{agent_views.name_of(agent)} is disconnected.")

    one = f"{PATH}/{{agent}}"
    return [
        page_route(PATH, ["GET"], realm.pages, show_all, failed=FAILED),
        page_route(PATH, ["POST"], realm.pages, delete_all, failed=FAILED),
        page_route(one, ["GET"], realm.pages, show_one, failed=FAILED),
        page_route(one, ["POST"], realm.pages, change, failed=FAILED),
        page_route(f"{one}/disconnection", ["POST"], realm.pages, disconnect, failed=FAILED),
    ]


async def _show_all(realm: Realm, session: PageSession) -> Response:
    async with realm.database.read() as connection:
        agents = await stored_agents.find_all(connection, [session.person])
    cards = [
        agent_views.card(realm, agent, session.timezone, await recent(realm, session, agent, _RECENT))
        for agent in agents
    ]
    return realm.pages.form(
        "agents.html",
        {
            **_around(realm, session),
            "cards": cards,
            "message": await page_sessions.take_message(realm, session),
        },
    )


async def _find(realm: Realm, session: PageSession, request: Request) -> Agent:
    """Find the agent that a path names among the person's. Raises NotThere."""
    async with realm.database.read() as connection:
        return await _own(connection, session, request.path_params["agent"])


async def _own(connection: AsyncConnection, session: PageSession, agent_id: str) -> Agent:
    agent = await stored_agents.find(connection, agent_id)
    if agent is None or agent.person != session.person:
        raise NotThere("There is no such agent among yours; it may have been disconnected meanwhile.")
    return agent


async def _show_one(
    realm: Realm, session: PageSession, agent: Agent, *, message: str | None = None, fault: str | None = None
) -> Response:
    found = agent_views.choices(realm, agent)
    event_types = await realm.event_types.names(session.person) if agent_views.has_conditions(found) else {}
    recorded = await recent(realm, session, agent, _MANY_RECENT)
    return realm.pages.form(
        "agent.html",
        {
            **_around(realm, session),
            "card": agent_views.card(realm, agent, session.timezone, recorded),
            "rows": agent_views.rows(realm, agent, found, event_types),
            "offer": found.offer,
            "message": message,
            "fault": fault,
        },
        status=200 if fault is None else 400,
    )


async def _change(realm: Realm, session: PageSession, agent: Agent, fields: Pairs) -> Response:
    found = agent_views.choices(realm, agent)
    try:
        sent = _read(fields, found)
    except InvalidAccess as fault:
        return await _show_one(realm, session, agent, fault=f"Nothing was changed. {fault}")
    changed = {name: allowance for name, allowance in sent.items() if allowance != found.shown[name]}
    async with realm.database.begin() as connection:
        await stored_grants.hold_person(connection, agent.id)
        current = await _own(connection, session, agent.id)
        await stored_agents.set_access(connection, agent.id, {**current.access, **changed})
        await _remember(realm, connection, agent, changed, found.shown)
    said_changes = changes(found.shown, {**found.shown, **changed})
    message = f"{' '.join(said_changes)} It holds from the next call on." if said_changes else "Nothing was changed."
    return await page_sessions.go_on(realm, session, f"{PATH}/{agent.id}", message)


def _read(fields: Pairs, found: Choices) -> Access:
    """Read the form of one agent. Raises InvalidAccess."""
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


async def _delete_all(realm: Realm, session: PageSession, fields: Pairs) -> Response:
    if only(fields, "sure") != "yes":
        raise Stopped("To delete everything, tick the box above the button. Nothing was deleted.")
    await forget(realm, session.person)
    told = "No agent of yours is connected any more, and nothing of you is stored here but the record of what they did."
    response = realm.pages.result("Everything is deleted", told, Back("the start", "/"))
    realm.cookies.drop_session(response)
    realm.cookies.drop_person(response)
    return response


def _around(realm: Realm, session: PageSession) -> dict[str, object]:
    return {
        "session": session,
        "zone": zone_name(session.timezone),
        "is_owner": realm.is_owner(session.person, session.email),
    }
