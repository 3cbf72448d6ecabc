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
from auth.endpoints.site import Site
from auth.grants import client_rows, transaction_rows
from auth.grants.clients import Client
from auth.grants.transactions import Transaction, check_form
from auth.protocol.errors import AccessDenied, Forgotten, OAuthError, Stopped
from auth.protocol.parameters import only, read_page_form
from auth.protocol.scopes import Scopes, least
from auth.protocol.secrets import digest
from auth.tables import authorization_transaction as table
from auth.upstream.login import scopes_to_ask


def consent_route(site: Site) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        fields = await read_page_form(request, site.issuer)
        transaction, client = await _find(site, request, only(fields, "transaction"))
        levels = site.levels(transaction.scopes)
        chosen = offers.choose(fields, levels, offers.presets(transaction.scopes, site.offered, levels))
        scopes = least(transaction.scopes, scopes_for(chosen, site.operations))
        if only(fields, "decision") != "allow":
            return await _deny(site, transaction, client, "said no", "The person did not allow it.")
        if not scopes:
            nothing = "The person allowed it and left every part of Calendly off."
            return await _deny(site, transaction, client, "left every part of Calendly off", nothing)
        return await _approve(site, request, replace(transaction, approved=scopes, chosen=chosen), client)

    return page_route("/consent", "POST", site.pages, answer)


async def _find(site: Site, request: Request, secret: str | None) -> tuple[Transaction, Client]:
    if secret is None:
        raise Stopped("This form is not one of ours. Start again from your app.")
    async with site.database.read() as connection:
        found = await transaction_rows.by_form(connection, digest(secret))
        transaction = check_form(found, site.cookies.read(request, BROWSER), site.now())
        client = await client_rows.find(connection, transaction.client)
    if client is None:
        raise Forgotten
    return transaction, client


async def _deny(site: Site, transaction: Transaction, client: Client, did: str, reason: str) -> Response:
    async with site.database.begin() as connection:
        await transaction_rows.end(connection, transaction.digest, site.now())
    await site.audit_log.note(
        AuditNote(
            action="consent",
            told=f"somebody who was asked to let {{agent}} in {did}",
            agent=client.name or "",
            decision="declined",
            source="person",
        )
    )
    return refuse(site, client, transaction.redirect_uri, transaction.state, AccessDenied(reason))


async def _approve(site: Site, request: Request, chosen: Transaction, client: Client) -> Response:
    """Store the approval, and redirect the browser to Calendly with a cookie that it must bring back."""
    held = await _held(site, request)
    try:
        departure = await depart(site, scopes_to_ask(chosen.approved or (), held=held, registered=site.registered))
    except OAuthError as fault:
        return refuse(site, client, chosen.redirect_uri, chosen.state, fault)
    approved = replace(
        chosen,
        approval_digest=digest(departure.approval),
        state_digest=departure.state_digest,
        verifier_ciphertext=site.seal(departure.verifier, table.c.verifier_ciphertext, chosen.digest),
    )
    async with site.database.begin() as connection:
        if not await transaction_rows.approve(connection, approved):
            raise Stopped("This sign-in was finished meanwhile. Start again from your app.")
    response = see_other(departure.address)
    site.cookies.set(response, approval(chosen.digest), departure.approval)
    return response


async def _held(site: Site, request: Request) -> Scopes:
    """Return the scopes that Calendly granted to whoever signed in last in this browser. A wrong guess is harmless."""
    person = site.cookies.read_person(request)
    held = None if person is None else await site.connections.read(person)
    return (held.connection.scopes if held else None) or frozenset()
