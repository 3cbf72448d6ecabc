"""GET /oauth/callback: Calendly sends the browser back, and the client gets our code.

It must be the browser in which the person approved (`cookies`), and Calendly's token must belong to the person who
signed in. Then grant, connection and code are stored in one transaction. Sign-ins to our own pages come back here too
(`page_sign_in`), because Calendly knows one redirect URI of ours.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.access.choices import scopes_for
from auth.access.levels import Access
from auth.access.restrictions import ConsentChoice, Known, place, settle
from auth.audit.log import AuditNote
from auth.endpoints import page_sign_in
from auth.endpoints.answers import page_route
from auth.endpoints.calendly_sign_in import identify
from auth.endpoints.cookies import approval
from auth.endpoints.redirects import refuse, response_address, see_other
from auth.endpoints.site import CALLBACK_PATH, Site
from auth.grants import client_rows, code_rows, grant_rows, restriction_rows, transaction_rows
from auth.grants.clients import Client
from auth.grants.grant_rows import Grant
from auth.grants.rules import CODE_LIFE, Code
from auth.grants.transactions import Transaction, check_return
from auth.protocol.errors import AccessDenied, Forgotten, OAuthError, Stopped
from auth.protocol.parameters import Parameters, read_query, single
from auth.protocol.scopes import least
from auth.protocol.secrets import CODE, digest, mint, nonce
from auth.tables import authorization_transaction as table
from auth.upstream.login import SignIn
from storage.connection import DatabaseConnection


def callback_route(site: Site) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        parameters = single(read_query(request))
        begun = await page_sign_in.find_begun(site, parameters)
        if begun is not None:
            return await page_sign_in.finish(site, request, begun, parameters)
        transaction, client, verifier = await _claim(site, request, parameters.get("state", ""))
        response = await _finish(site, transaction, client, verifier, parameters)
        site.cookies.drop(response, approval(transaction.digest))
        return response

    return page_route(CALLBACK_PATH, "GET", site.pages, answer)


async def _claim(site: Site, request: Request, state: str) -> tuple[Transaction, Client, str]:
    """Find the sign-in that Calendly answers, and end it so that no other request can. Raises Stopped."""
    now, state_digest = site.now(), digest(state)
    async with site.database.read() as connection:
        found = await transaction_rows.by_state(connection, state_digest)
        cookie = None if found is None else site.cookies.read(request, approval(found.digest))
        transaction = check_return(found, cookie, now)
        client = await client_rows.find(connection, transaction.client)
    async with site.database.begin() as connection:
        ended = await transaction_rows.end(connection, transaction.digest, now, state_digest=state_digest)
    if client is None or not ended:
        raise Stopped("This sign-in was finished before. Start again from your app.")
    sealed = transaction.verifier_ciphertext or b""
    return transaction, client, site.unseal(sealed, table.c.verifier_ciphertext, transaction.digest)


async def _finish(
    site: Site, transaction: Transaction, client: Client, verifier: str, parameters: Parameters
) -> Response:
    code = mint(CODE, site.random)
    try:
        sign_in = await identify(site, verifier, parameters)
        await site.connections.prove(sign_in)
        grant = await _store(site, transaction, client, sign_in, digest(code))
    except OAuthError as fault:
        await site.audit_log.note(
            AuditNote(
                action="sign_in",
                told="a sign-in at Calendly for {agent} ended without one",
                agent=client.name or "",
                decision="refused",
                rule=fault.description.rstrip("."),
                source="calendly",
            )
        )
        return refuse(site, client, transaction.redirect_uri, transaction.state, fault)
    await site.audit_log.note(
        AuditNote(
            action="consent",
            told="{person} let {agent} in",
            person=sign_in.person.uri,
            agent=client.name or "",
            grant=grant,
            source="person",
        )
    )
    response = see_other(response_address(site, transaction.redirect_uri, transaction.state, {"code": code}))
    site.cookies.set_person(response, sign_in.person.uri)
    return response


async def _store(site: Site, transaction: Transaction, client: Client, sign_in: SignIn, code_digest: str) -> str:
    """Store the person, the connection, the grant and the code in one transaction. Returns the id of the grant.

    Raises:
        AccessDenied: Nothing is left that the person allows an app of that name.
    """
    person, now = sign_in.person, site.now()
    async with site.database.begin() as connection:
        if not await client_rows.mark_approved(connection, transaction.client, now):
            raise Forgotten
        await grant_rows.put_person(connection, person, now)
        await site.connections.keep(connection, sign_in)
        access = await _settle(site, connection, transaction, client, person.uri)
        allowed = least(transaction.approved or (), scopes_for(access, site.operations))
        if not allowed:
            raise AccessDenied("The person allowed an app of this name nothing of what it asks for.")
        grant = await grant_rows.allow(
            connection,
            Grant(nonce(site.random), person.uri, transaction.client, transaction.resource, allowed, access),
            now,
        )
        await code_rows.add(
            connection,
            code_digest,
            Code(
                grant=grant,
                client=transaction.client,
                redirect_uri=transaction.redirect_uri,
                redirect_uri_sent=transaction.redirect_uri_sent,
                challenge=transaction.challenge,
                resource=transaction.resource,
                scopes=allowed,
                expires_at=now + CODE_LIFE,
                used_at=None,
                grant_ended=False,
            ),
        )
    return grant


async def _settle(
    site: Site, connection: DatabaseConnection, transaction: Transaction, client: Client, person: str
) -> Access:
    """Return the access that follows from the person's choice and their earlier ones, and remember it."""
    known = Known(person, client.name, place(transaction.redirect_uri))
    before = await grant_rows.find_access(connection, person, transaction.client, transaction.resource)
    memory = await restriction_rows.recall(connection, known)
    choice = ConsentChoice(transaction.shown, transaction.chosen, transaction.scopes)
    outcome = settle(choice, before or {}, memory, site.operations, seen=transaction.shown_to == person)
    if outcome.memory != memory:
        await restriction_rows.put(connection, known, outcome.memory, site.now())
    return outcome.access
