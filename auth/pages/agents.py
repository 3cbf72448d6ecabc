"""All agents of a person.

GET  /connections          shows them, and Calendly's webhook
POST /connections          deletes everything that is stored about the person
POST /connections/webhook  switches Calendly's webhook on or off
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints import page_sessions
from auth.endpoints.cookies import PERSON, SESSION
from auth.endpoints.ending import forget
from auth.endpoints.html import Back
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.page_sessions import go_on, take_message
from auth.endpoints.site import NotSwitched, Site
from auth.grants import agent_rows
from auth.pages.views import around, card, recent, said
from auth.protocol.errors import Stopped
from auth.protocol.parameters import Pairs, only

PATH: Final = "/connections"

_RECENT: Final = 3
"""How many entries of the audit log are shown for each agent."""

_DELETED: Final = (
    "None of your agents is connected any more. Nothing about you is stored here but the audit log of what they did."
)


def agents_routes(site: Site) -> list[Route]:
    """Make the routes."""

    async def show(_request: Request, session: PageSession) -> Response:
        return await _show(site, session, {"message": await take_message(site, session), "fault": None})

    async def delete_all(_request: Request, session: PageSession, fields: Pairs) -> Response:
        if only(fields, "sure") != "yes":
            raise Stopped("To delete everything, tick the box above the button. Nothing was deleted.")
        await forget(site, session.person)
        told = "{person} disconnected all agents and deleted what is stored"
        await site.audit_log.note(AuditNote(action="delete_all", told=told, person=session.person, source="person"))
        response = site.pages.result("Everything is deleted", _DELETED, Back("the start", "/"))
        site.cookies.drop(response, SESSION)
        site.cookies.drop(response, PERSON)
        return response

    async def switch(_request: Request, session: PageSession, fields: Pairs) -> Response:
        try:
            told = await site.events.switch(session.person, on=only(fields, "on") == "yes")
        except NotSwitched as fault:
            return await _show(site, session, {"message": None, "fault": str(fault)})
        return await go_on(site, session, PATH, told)

    return [
        page_sessions.page(site, PATH, show),
        page_sessions.form(site, PATH, delete_all),
        page_sessions.form(site, f"{PATH}/webhook", switch, back_to=PATH),
    ]


async def _show(site: Site, session: PageSession, told: dict[str, str | None]) -> Response:
    async with site.database.read() as connection:
        agents = await agent_rows.find_all(connection, [session.person])
    recorded = await recent(site, session, [agent.id for agent in agents], limit=_RECENT)
    webhook = await site.events.webhook(session.person)
    values = {
        "cards": [card(site, agent, session.timezone, recorded[agent.id]) for agent in agents],
        "webhook": webhook,
        "last_told": said(webhook.last_at, session.timezone) if webhook and webhook.last_at else None,
        **told,
        **around(site, session),
    }
    return site.pages.form("agents.html", values, status=200 if told["fault"] is None else 400)
