"""POST /consent: the person's decision, and the way to Calendly.

The form is taken only from the browser that it was shown in (`auth.endpoints.cookies`).
"""

from dataclasses import dataclass, field, replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.access import offers
from auth.access.choices import scopes_for
from auth.access.levels import Access
from auth.audit.log import AuditNote
from auth.endpoints.answers import page_route, see_other
from auth.endpoints.person_hint import read_person_hint
from auth.endpoints.responses import refuse
from auth.endpoints.site import Realm
from auth.grants import client_rows, transaction_rows
from auth.grants.clients import Client
from auth.grants.transactions import TRANSACTION_LIFE, Transaction, check_form
from auth.protocol.errors import AccessDenied, Stopped
from auth.protocol.forms import check_origin, only
from auth.protocol.parameters import Pairs, read_form
from auth.protocol.scopes import Scopes, least
from auth.protocol.secrets import digest, nonce
from auth.tables import authorization_transaction as table
from auth.upstream.login import CalendlyLoginError, scopes_to_ask
from auth.upstream.refusals import to_client
from storage.types import sealed_for


@dataclass(frozen=True, slots=True)
class _Form:
    secret: str = field(repr=False)
    allowed: bool
    fields: Pairs


@dataclass(frozen=True, slots=True)
class _Chosen:
    levels: Access
    scopes: Scopes


def consent_route(realm: Realm) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        check_origin(realm.issuer, request)
        form = _read(await read_form(request))
        transaction, client = await _find(realm, request, form)
        asked = transaction.scopes
        chosen = offers.choose(form.fields, realm.levels(asked))
        scopes = least(asked, scopes_for(chosen, realm.operations))
        if not form.allowed or not scopes:
            return await _deny(realm, transaction, client)
        return await _approve(realm, request, transaction, client, _Chosen(chosen, scopes))

    return page_route("/consent", ["POST"], realm.pages, answer)


def _read(pairs: Pairs) -> _Form:
    """Read the form; what is no clear yes is a no."""
    secret = only(pairs, "transaction")
    if secret is None:
        raise Stopped("This form is not one of ours. Start again from your app.")
    return _Form(secret, only(pairs, "decision") == "allow", pairs)


async def _find(realm: Realm, request: Request, form: _Form) -> tuple[Transaction, Client]:
    async with realm.database.read() as connection:
        found = await transaction_rows.by_form(connection, digest(form.secret))
        transaction = check_form(found, realm.cookies.browser(request.cookies), realm.now())
        client = await client_rows.find(connection, transaction.client)
    if client is None:
        raise Stopped("This app is no longer registered here. Have it connect anew.")
    return transaction, client


async def _deny(realm: Realm, transaction: Transaction, client: Client) -> Response:
    async with realm.database.begin() as connection:
        await transaction_rows.end(connection, transaction.digest, realm.now())
    await realm.audit_log.note(
        AuditNote(
            action="consent",
            told="somebody who was asked to let {agent} in said no",
            agent=client.name or "",
            decision="declined",
            source="person",
        )
    )
    denied = AccessDenied("The person did not allow it.")
    return refuse(realm, client, transaction.redirect_uri, transaction.state, denied)


async def _approve(
    realm: Realm, request: Request, transaction: Transaction, client: Client, choice: _Chosen
) -> Response:
    """Note the approval, and send the browser to Calendly with a cookie that it must bring back."""
    approval, state, verifier = (nonce(realm.random) for _ in range(3))
    scopes = scopes_to_ask(choice.scopes, held=await _held(realm, request), registered=realm.registered)
    try:
        address = await realm.upstream.authorization_url(state=state, verifier=verifier, scopes=scopes)
    except CalendlyLoginError as fault:
        return refuse(realm, client, transaction.redirect_uri, transaction.state, to_client(fault))
    approved = replace(
        transaction,
        approved=choice.scopes,
        chosen=choice.levels,
        approval_digest=digest(approval),
        state_digest=digest(state),
        verifier_ciphertext=realm.keyring.seal(
            verifier.encode(), **sealed_for(table.c.verifier_ciphertext, transaction.digest)
        ),
    )
    async with realm.database.begin() as connection:
        if not await transaction_rows.approve(connection, approved):
            raise Stopped("This sign-in was finished meanwhile. Start again from your app.")
    response = see_other(address)
    realm.cookies.set_approval(response, transaction.digest, approval, TRANSACTION_LIFE)
    return response


async def _held(realm: Realm, request: Request) -> Scopes:
    """Return what Calendly granted before to whoever signed in last in this browser; a guess, and safe as one."""
    person = read_person_hint(realm.keyring, realm.cookies.person(request.cookies))
    held = None if person is None else await realm.connections.read(person)
    return (held.connection.scopes if held else None) or frozenset()
