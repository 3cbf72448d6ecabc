"""Signing in to our own pages, through Calendly and by the same way back as everybody: POST /sign-in and /sign-out.

Calendly is asked for the one scope that says who somebody is. The tokens that it gives are forgotten as soon as it said
so: they are not the person's connection, and no agent ever uses them. They are not revoked, since it is not known
whether Calendly would end the connection's tokens with them.

    GET  a page          nobody is signed in: our page asks for it
    POST /sign-in        this browser gets a cookie, Calendly a state
    GET  /oauth/callback with both: a session begins, and leads to the page that was asked for
"""

import re
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints import page_session_rows, page_sessions
from auth.endpoints.answers import page_route, see_other
from auth.endpoints.calendly_answers import prove
from auth.endpoints.page_session_rows import PageSession, PageSignIn
from auth.endpoints.person_hint import write_person_hint
from auth.endpoints.site import Realm
from auth.grants.transactions import TRANSACTION_LIFE
from auth.protocol.errors import Stopped
from auth.protocol.forms import check_origin
from auth.protocol.parameters import Pairs, Parameters, read_form, single
from auth.protocol.secrets import digest, nonce
from auth.tables import page_sign_in
from auth.upstream.login import IDENTITY_SCOPE, CalendlyLoginError
from auth.upstream.refusals import to_client
from storage.types import sealed_for

_PAGES: Final = re.compile(r"/(?:connections(?:/[0-9A-Za-z-]{1,100})?|confirm/[0-9A-Za-z._~=-]{1,4000})")
"""Where a sign-in may lead: the paths of our pages, and no address (open redirects, RFC 9700, 4.11)."""

_OVER: Final = "This sign-in is over: it took too long, or it was finished before. Open the page again."


def page_sign_in_routes(realm: Realm) -> list[Route]:
    """Make the routes."""

    async def sign_in(request: Request) -> Response:
        check_origin(realm.issuer, request)
        goes_to = single(await read_form(request)).get("to", "")
        if not _PAGES.fullmatch(goes_to):
            raise Stopped("This server has no such page to sign in for.")
        return await _set_out(realm, request, goes_to)

    async def sign_out(_request: Request, session: PageSession, _fields: Pairs) -> Response:
        async with realm.database.begin() as connection:
            await page_session_rows.end(connection, session.digest)
        response = see_other(f"{realm.issuer}/connections")
        realm.cookies.drop_session(response)
        return response

    return [
        page_route("/sign-in", ["POST"], realm.pages, sign_in),
        page_sessions.form(realm, "/sign-out", sign_out, back_to="/connections"),
    ]


async def _set_out(realm: Realm, request: Request, goes_to: str) -> Response:
    """Note where the browser wants to go, and send it to Calendly with a cookie that it must bring back."""
    browser, state, verifier = (nonce(realm.random) for _ in range(3))
    state_digest = digest(state)
    try:
        address = await realm.upstream.authorization_url(state=state, verifier=verifier, scopes=(IDENTITY_SCOPE,))
    except CalendlyLoginError as fault:
        raise to_client(fault) from fault
    begun = PageSignIn(
        state_digest=state_digest,
        browser_digest=digest(browser),
        verifier_ciphertext=realm.keyring.seal(
            verifier.encode(), **sealed_for(page_sign_in.c.verifier_ciphertext, state_digest)
        ),
        goes_to=goes_to,
        expires_at=realm.now() + TRANSACTION_LIFE,
    )
    async with realm.database.begin() as connection:
        await realm.take(connection, "sign_ins", realm.address(request))
        await page_session_rows.begin(connection, begun)
    response = see_other(address)
    realm.cookies.set_approval(response, state_digest, browser, TRANSACTION_LIFE)
    return response


async def find_begun(realm: Realm, parameters: Parameters) -> PageSignIn | None:
    """Return the sign-in to our pages that Calendly answers, None when it answers none."""
    async with realm.database.read() as connection:
        return await page_session_rows.find_sign_in(connection, digest(parameters.get("state", "")))


async def finish(realm: Realm, request: Request, begun: PageSignIn, parameters: Parameters) -> Response:
    """Begin the session of who signed in, once and in the browser that set out.

    Raises:
        Stopped: It is another browser, or too late.
        OAuthError: Nobody signed in.
    """
    cookie = realm.cookies.approval(request.cookies, begun.state_digest)
    if realm.now() >= begun.expires_at:
        raise Stopped(_OVER)
    if cookie is None or digest(cookie) != begun.browser_digest:
        raise Stopped("This sign-in was started in another browser. Open the page again, in this one.")
    async with realm.database.begin() as connection:
        if not await page_session_rows.take_sign_in(connection, begun.state_digest):
            raise Stopped(_OVER)
    place = sealed_for(page_sign_in.c.verifier_ciphertext, begun.state_digest)
    verifier = realm.keyring.open(begun.verifier_ciphertext, **place).decode()
    person = (await prove(realm, verifier, parameters)).person
    await realm.audit_log.note(
        AuditNote(action="page_sign_in", told="{person} signed in to the pages of this server", person=person.uri)
    )
    response = await page_sessions.begin(realm, request, person, begun.goes_to)
    realm.cookies.drop_approval(response, begun.state_digest)
    realm.cookies.set_person(response, write_person_hint(realm.keyring, person.uri))
    return response
