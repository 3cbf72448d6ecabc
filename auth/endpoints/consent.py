"""POST /consent: takes the person's decision, and redirects to Calendly.

The form is accepted only from the browser in which it was shown (`auth.endpoints.cookies`).
"""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.access import offers
from auth.access.choices import scopes_for
from auth.audit.log import AuditNote
from auth.endpoints.answers import page_route
from auth.endpoints.calendly_sign_in import depart
from auth.endpoints.cookies import BROWSER, approval
from auth.endpoints.redirects import refuse, see_other
from auth.endpoints.site import Realm
from auth.grants import client_rows, transaction_rows
from auth.grants.clients import Client
from auth.grants.transactions import Transaction, check_form
from auth.protocol.errors import AccessDenied, Forgotten, OAuthError, Stopped
from auth.protocol.parameters import only, read_page_form
from auth.protocol.scopes import Scopes, least
from auth.protocol.secrets import digest
from auth.tables import authorization_transaction as table
from auth.upstream.login import scopes_to_ask


def consent_route(realm: Realm) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        fields = await read_page_form(request, realm.issuer)
        transaction, client = await _find(realm, request, only(fields, "transaction"))
        levels = realm.levels(transaction.scopes)
        chosen = offers.choose(fields, levels, offers.presets(transaction.scopes, realm.offered, levels))
        scopes = least(transaction.scopes, scopes_for(chosen, realm.operations))
        if only(fields, "decision") != "allow":
            return await _deny(realm, transaction, client, "said no", "The person did not allow it.")
        if not scopes:
            nothing = "The person allowed it and left every part of Calendly off."
            return await _deny(realm, transaction, client, "left every part of Calendly off", nothing)
        return await _approve(realm, request, replace(transaction, approved=scopes, chosen=chosen), client)

    return page_route("/consent", "POST", realm.pages, answer)


async def _find(realm: Realm, request: Request, secret: str | None) -> tuple[Transaction, Client]:
    if secret is None:
        raise Stopped("This form is not one of ours. Start again from your app.")
    async with realm.database.read() as connection:
        found = await transaction_rows.by_form(connection, digest(secret))
        transaction = check_form(found, realm.cookies.read(request, BROWSER), realm.now())
        client = await client_rows.find(connection, transaction.client)
    if client is None:
        raise Forgotten
    return transaction, client


async def _deny(realm: Realm, transaction: Transaction, client: Client, did: str, reason: str) -> Response:
    async with realm.database.begin() as connection:
        await transaction_rows.end(connection, transaction.digest, realm.now())
    await realm.audit_log.note(
        AuditNote(
            action="consent",
            told=f"somebody who was asked to let {{agent}} in {did}",
            agent=client.name or "",
            decision="declined",
            source="person",
        )
    )
    return refuse(realm, client, transaction.redirect_uri, transaction.state, AccessDenied(reason))


async def _approve(realm: Realm, request: Request, chosen: Transaction, client: Client) -> Response:
    """Store the approval, and redirect the browser to Calendly with a cookie that it must bring back."""
    held = await _held(realm, request)
    try:
        departure = await depart(realm, scopes_to_ask(chosen.approved or (), held=held, registered=realm.registered))
    except OAuthError as fault:
        return refuse(realm, client, chosen.redirect_uri, chosen.state, fault)
    approved = replace(
        chosen,
        approval_digest=digest(departure.approval),
        state_digest=departure.state_digest,
        verifier_ciphertext=realm.seal(departure.verifier, table.c.verifier_ciphertext, chosen.digest),
    )
    async with realm.database.begin() as connection:
        if not await transaction_rows.approve(connection, approved):
            raise Stopped("This sign-in was finished meanwhile. Start again from your app.")
    response = see_other(departure.address)
    realm.cookies.set(response, approval(chosen.digest), departure.approval)
    return response


async def _held(realm: Realm, request: Request) -> Scopes:
    """Return the scopes that Calendly granted to whoever signed in last in this browser. A wrong guess is harmless."""
    person = realm.cookies.read_person(request)
    held = None if person is None else await realm.connections.read(person)
    return (held.connection.scopes if held else None) or frozenset()
