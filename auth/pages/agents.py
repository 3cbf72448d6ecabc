"""The page of all agents of a person: GET /connections, and POST /connections, which deletes all there is of them."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.entries import AuditEntry
from auth.audit.log import AuditNote
from auth.endpoints import page_sessions
from auth.endpoints.ending import forget
from auth.endpoints.html import Back
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.page_sessions import take_message
from auth.endpoints.site import Realm
from auth.grants import agent_rows
from auth.pages.local_times import said, zone_name
from auth.pages.views import Told, card
from auth.protocol.errors import Stopped
from auth.protocol.forms import only
from auth.protocol.parameters import Pairs

PATH: Final = "/connections"

_RECENT: Final = 3
"""Entries of the audit log that are shown of each agent."""


def agents_routes(realm: Realm) -> list[Route]:
    """Make the routes."""

    async def show(_request: Request, session: PageSession) -> Response:
        async with realm.database.read() as connection:
            agents = await agent_rows.find_all(connection, [session.person])
        cards = [
            card(realm, agent, session.timezone, await recent(realm, session, grant=agent.id, limit=_RECENT))
            for agent in agents
        ]
        values = {"cards": cards, "message": await take_message(realm, session), **around(realm, session)}
        return realm.pages.form("agents.html", values)

    async def delete_all(_request: Request, session: PageSession, fields: Pairs) -> Response:
        if only(fields, "sure") != "yes":
            raise Stopped("To delete everything, tick the box above the button. Nothing was deleted.")
        await forget(realm, session.person)
        await realm.audit_log.note(
            AuditNote(action="delete_all", told=_DELETED, person=session.person, source="person")
        )
        told = (
            "No agent of yours is connected any more. Nothing of you is stored here but the audit log of what they did."
        )
        response = realm.pages.result("Everything is deleted", told, Back("the start", "/"))
        realm.cookies.drop_session(response)
        realm.cookies.drop_person(response)
        return response

    return [page_sessions.page(realm, PATH, show), page_sessions.form(realm, PATH, delete_all)]


_DELETED: Final = "{person} disconnected all agents and deleted what is stored"


async def recent(realm: Realm, session: PageSession, *, grant: str, limit: int) -> list[Told]:
    """Return what an agent did last, in words for its person."""
    return told_to(session, await realm.audit_log.recent(person=session.person, grant=grant, limit=limit))


def told_to(session: PageSession, entries: Sequence[AuditEntry]) -> list[Told]:
    """Return entries of the audit log as they are told to who is signed in."""
    return [Told(said(entry.time, session.timezone), entry.told, is_call=entry.tool is not None) for entry in entries]


def around(realm: Realm, session: PageSession) -> dict[str, object]:
    """Return what stands around every page of somebody who is signed in."""
    return {
        "session": session,
        "zone": zone_name(session.timezone),
        "is_owner": realm.is_owner(session.person, session.email),
    }
