"""POST /sign-in and POST /sign-out: people sign in to our own pages through Calendly.

Calendly is asked only for the scope that identifies a person. Its tokens are dropped at once: they are not the person's
connection, and no agent uses them. They are not revoked, because Calendly may end the connection's tokens with them.

    GET  a page           shows a form that asks the person to sign in
    POST /sign-in         gives the browser a cookie and redirects to Calendly with a state
    GET  /oauth/callback  with both: starts a session and redirects to the page
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints import page_session_rows, page_sessions
from auth.endpoints.answers import page_route
from auth.endpoints.calendly_sign_in import depart, identify
from auth.endpoints.cookies import PERSON, SESSION, approval
from auth.endpoints.page_session_rows import PageSession, PageSignIn
from auth.endpoints.redirects import see_other
from auth.endpoints.site import Site
from auth.grants.transactions import TRANSACTION_LIFE
from auth.protocol.errors import Stopped
from auth.protocol.parameters import Pairs, Parameters, read_page_form, single
from auth.protocol.secrets import digest
from auth.tables import page_sign_in as table
from auth.upstream.login import IDENTITY_SCOPE

_OVER: Final = "This sign-in is over: it took too long, or it was finished before. Open the page again."


def page_sign_in_routes(site: Site) -> list[Route]:
    """Make the routes."""

    async def sign_in(request: Request) -> Response:
        goes_to = single(await read_page_form(request, site.issuer)).get("to", "")
        if not page_sessions.is_page(request, goes_to):
            raise Stopped("This server has no such page to sign in for.")
        return await _set_out(site, request, goes_to)

    async def sign_out(_request: Request, session: PageSession, _fields: Pairs) -> Response:
        async with site.database.begin() as connection:
            await page_session_rows.end(connection, session.digest)
        response = see_other(f"{site.issuer}/connections")
        site.cookies.drop(response, SESSION)
        site.cookies.drop(response, PERSON)  # the next person in this browser finds nothing of this one
        return response

    return [
        page_route("/sign-in", "POST", site.pages, sign_in),
        page_sessions.form(site, "/sign-out", sign_out, back_to="/connections"),
    ]


async def _set_out(site: Site, request: Request, goes_to: str) -> Response:
    """Store where the browser wants to go, and redirect it to Calendly with a cookie that it must bring back."""
    departure = await depart(site, (IDENTITY_SCOPE,))
    row = departure.state_digest
    begun = PageSignIn(
        state_digest=row,
        browser_digest=digest(departure.approval),
        verifier_ciphertext=site.seal(departure.verifier, table.c.verifier_ciphertext, row),
        goes_to=goes_to,
        expires_at=site.now() + TRANSACTION_LIFE,
    )
    async with site.database.begin() as connection:
        await site.take(connection, "sign_ins", site.address(request))
        await page_session_rows.begin(connection, begun)
    response = see_other(departure.address)
    site.cookies.set(response, approval(row), departure.approval)
    return response


async def find_begun(site: Site, parameters: Parameters) -> PageSignIn | None:
    """Find the sign-in to our pages that Calendly answers; None if it answers another one."""
    async with site.database.read() as connection:
        return await page_session_rows.find_sign_in(connection, digest(parameters.get("state", "")))


async def finish(site: Site, request: Request, begun: PageSignIn, parameters: Parameters) -> Response:
    """Start the session of the person who signed in, once and in the browser in which they began.

    Raises:
        Stopped: It is another browser, or too late.
        OAuthError: Nobody signed in.
    """
    cookie = site.cookies.read(request, approval(begun.state_digest))
    if site.now() >= begun.expires_at:
        raise Stopped(_OVER)
    if cookie is None or digest(cookie) != begun.browser_digest:
        raise Stopped("This sign-in was started in another browser. Open the page again, in this one.")
    async with site.database.begin() as connection:
        if not await page_session_rows.take_sign_in(connection, begun.state_digest):
            raise Stopped(_OVER)
    verifier = site.unseal(begun.verifier_ciphertext, table.c.verifier_ciphertext, begun.state_digest)
    person = (await identify(site, verifier, parameters)).person
    await site.audit_log.note(
        AuditNote(action="page_sign_in", told="{person} signed in to the pages of this server", person=person.uri)
    )
    response = await page_sessions.begin(site, request, person, begun.goes_to)
    site.cookies.drop(response, approval(begun.state_digest))
    site.cookies.set_person(response, person.uri)
    return response
