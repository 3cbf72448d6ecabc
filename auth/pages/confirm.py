"""The page on which the signed-in person approves or declines one call of an agent.

GET  /confirm/HANDLE    shows what the call would do
POST /confirm/HANDLE    takes the answer, once

Only the person for whom the agent acts sees it. Approval does not send the call: the agent repeats it with its
confirmation token and the same arguments.
"""

import json
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints import page_sessions
from auth.endpoints.html import app_name
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.redirects import see_other
from auth.endpoints.site import Site
from auth.pages import pending_rows
from auth.pages.pending_rows import Pending
from auth.pages.views import said, zone_name
from auth.protocol.errors import NotThere
from auth.protocol.parameters import Pairs, only
from auth.protocol.secrets import digest
from auth.tables import pending_confirmation
from storage.connection import DatabaseConnection

PATH: Final = "/confirm"

_OVER: Final = (
    "There is no open question of one of your agents here. Questions are open for ten minutes. If your agent is still "
    "waiting, have it ask again."
)


def confirm_routes(site: Site) -> list[Route]:
    """Make the routes."""

    async def show(request: Request, session: PageSession) -> Response:
        async with site.database.read() as connection:
            pending = await _own(site, connection, session, request.path_params["handle"])
        column = pending_confirmation.c.question_ciphertext
        question = site.unseal(pending.question_ciphertext, column, pending.digest)
        values: dict[str, object] = {
            "agent": app_name(pending.agent),
            "question": json.loads(question),
            "approved": pending.approved,
            "is_taken": pending.is_taken,
            "grant": pending.grant,
            "until": f"{said(pending.expires_at, session.timezone)} ({zone_name(session.timezone)})",
            "path": request.url.path,
            "session": session,
        }
        return site.pages.form("confirm.html", values)

    async def answer(request: Request, session: PageSession, fields: Pairs) -> Response:
        approved = only(fields, "decision") == "approve"  # anything else declines
        async with site.database.begin() as connection:
            pending = await _own(site, connection, session, request.path_params["handle"])
            is_first = await pending_rows.decide(connection, pending.digest, site.now(), approved=approved)
        if is_first:
            await site.audit_log.note(_note(pending, approved=approved))
        return see_other(f"{site.issuer}{request.url.path}")

    path = f"{PATH}/{{handle}}"
    return [page_sessions.page(site, path, show), page_sessions.form(site, path, answer)]


async def _own(site: Site, connection: DatabaseConnection, session: PageSession, handle: str) -> Pending:
    pending = await pending_rows.find(connection, digest(handle), site.now())
    if pending is None or pending.person != session.person:
        raise NotThere(_OVER)
    return pending


def _note(pending: Pending, *, approved: bool) -> AuditNote:
    verb = "approved" if approved else "did not approve"
    return AuditNote(
        action="approve_call",
        told=f"{{person}} {verb} a call of {{agent}} on the page",
        person=pending.person,
        agent=pending.agent,
        grant=pending.grant,
        decision="allowed" if approved else "declined",
        source="person",
    )
