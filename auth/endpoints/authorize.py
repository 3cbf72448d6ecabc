"""GET /authorize: checks the request of a client, and shows the consent page.

Client and redirect URI are checked first. Unless both are valid, the browser is not redirected (OAuth 2.1, 4.1.2.1).
Afterwards errors go to the client, by a link on our page (`auth.endpoints.redirects`).
"""

from dataclasses import asdict
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.access import offers
from auth.access.levels import Access
from auth.access.restrictions import Known, place
from auth.endpoints.answers import page_route
from auth.endpoints.cookies import BROWSER
from auth.endpoints.html import Consent, app_name
from auth.endpoints.redirects import as_known_here, refuse
from auth.endpoints.site import Site
from auth.grants import client_rows, grant_rows, restriction_rows, transaction_rows
from auth.grants.client_documents import DocumentFetcher, is_document_address
from auth.grants.clients import Client
from auth.grants.rules import check_resource
from auth.grants.transactions import TRANSACTION_LIFE, AuthorizationRequest, Transaction
from auth.protocol import redirect_uris, scopes
from auth.protocol.errors import (
    Forgotten,
    InvalidClient,
    InvalidRequest,
    OAuthError,
    Stopped,
    TooManyRequests,
    UnsupportedResponseType,
)
from auth.protocol.parameters import Pairs, Parameters, only, read_query, required, single
from auth.protocol.pkce import check_challenge
from auth.protocol.secrets import digest, nonce


def authorize_route(site: Site) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        pairs = read_query(request)
        client = await _read_client(site, request, pairs)
        redirect_uri, sent = _read_redirect_uri(site, client, pairs)
        try:
            asked = _read_request(site, client, redirect_uri, single(pairs), redirect_uri_sent=sent)
        except OAuthError as fault:
            request.state.refusal, request.state.agent = fault.description, client.name  # for the log
            client = await as_known_here(site, request, client)
            return refuse(site, client, redirect_uri, only(pairs, "state"), fault)
        return await _ask(site, request, client, asked)

    return page_route("/authorize", "GET", site.pages, answer)


async def _read_client(site: Site, request: Request, pairs: Pairs) -> Client:
    client_id = only(pairs, "client_id")
    if client_id is None:
        raise Stopped("The app did not say which one it is: client_id must be there once.")
    try:
        client = await _look_up(site, client_id, site.address(request))
    except InvalidClient as fault:
        remedy = f"The app can register itself instead (RFC 7591), at {site.issuer}/register."
        raise Stopped(f"{fault.description} {remedy}") from fault
    if client is None:
        raise Forgotten
    return client


def _read_redirect_uri(site: Site, client: Client, pairs: Pairs) -> tuple[str, bool]:
    """Return the redirect URI, and whether the request contains it. Raises Stopped."""
    sent = any(name == "redirect_uri" for name, _ in pairs)
    presented = only(pairs, "redirect_uri")
    if not sent and len(client.redirect_uris) == 1:  # OAuth 2.1, 2.3.2
        presented = client.redirect_uris[0]
    if presented is None:
        raise Stopped("The app has to say once to which of its addresses to send you back: redirect_uri.")
    if not redirect_uris.is_registered(presented, client.redirect_uris):
        raise Stopped("The address to send you back to is not one that this app registered.")
    if redirect_uris.leads_to(presented, site.issuer):
        raise Stopped("The address to send you back to is one of this server itself.")
    return presented, sent


def _read_request(
    site: Site, client: Client, redirect_uri: str, parameters: Parameters, *, redirect_uri_sent: bool
) -> AuthorizationRequest:
    """Check the rest of the request. Raises OAuthError."""
    if required(parameters, "response_type") != "code":
        raise UnsupportedResponseType("response_type must be code.")
    if parameters.get("response_mode", "query") != "query":
        raise InvalidRequest("response_mode must be query.")
    return AuthorizationRequest(
        client=client.id,
        redirect_uri=redirect_uri,
        redirect_uri_sent=redirect_uri_sent,
        state=parameters.get("state"),
        challenge=check_challenge(parameters.get("code_challenge"), parameters.get("code_challenge_method")),
        resource=check_resource(parameters.get("resource"), site.resource),
        scopes=scopes.ask(parameters.get("scope"), site.offered),
    )


async def _ask(site: Site, request: Request, client: Client, asked: AuthorizationRequest) -> Response:
    """Store a sign-in and show the consent page."""
    secret = nonce(site.random)
    browser = site.cookies.read(request, BROWSER) or nonce(site.random)
    person = site.cookies.read_person(request)
    begun = Transaction(
        **asdict(asked),
        digest=digest(secret),
        browser_digest=digest(browser),
        expires_at=site.now() + TRANSACTION_LIFE,
        shown=await _preselect(site, client, asked, person),
        shown_to=person,
    )
    async with site.database.begin() as connection:
        await site.take(connection, "sign_ins", site.address(request))
        if not await client_rows.is_kept(connection, client.id):
            raise Forgotten
        await transaction_rows.add(connection, begun)
    response = site.pages.consent(_consent(site, client, begun, secret))
    site.cookies.set(response, BROWSER, browser)
    return response


async def _preselect(site: Site, client: Client, asked: AuthorizationRequest, person: str | None) -> Access:
    """Return the levels that are preselected for `person`, who signed in last in this browser."""
    before: Access | None = None
    memory: Access = {}
    if person is not None:
        async with site.database.read() as connection:
            before = await grant_rows.find_access(connection, person, client.id, asked.resource)
            memory = await restriction_rows.recall(connection, Known(person, client.name, place(asked.redirect_uri)))
    return offers.preselect(asked.scopes, site.offered, site.levels(asked.scopes), before, memory)


def _consent(site: Site, client: Client, begun: Transaction, secret: str) -> Consent:
    levels = site.levels(begun.scopes)
    return Consent(
        name=app_name(client.name),
        publisher=urlsplit(client.id).netloc if client.kind == "document" else None,
        destination=redirect_uris.destination(begun.redirect_uri),
        only_loopback=all(map(redirect_uris.is_loopback, client.redirect_uris)),
        presets=offers.offer_presets(offers.presets(begun.scopes, site.offered, levels), begun.shown),
        offer=offers.offer(levels, site.levels(site.offered), begun.shown, site.capabilities),
        secret=secret,
        # Browsers apply form-action to the redirects after a form too: to Calendly, to us, to the client.
        form_action=("'self'", *site.sign_in_sources, redirect_uris.form_action(begun.redirect_uri)),
    )


async def _look_up(site: Site, client_id: str, address: str) -> Client | None:
    """Find a client, and fetch its metadata document if it is time. Returns None if the client is not known.

    A fetch counts as a registration by the client address.

    Raises:
        InvalidClient: The document cannot be fetched or used.
        TooManyRequests: The address caused too many fetches.
    """
    if not is_document_address(client_id):
        async with site.database.read() as connection:
            return await client_rows.find(connection, client_id)
    if site.documents is None:
        raise InvalidClient("This server does not fetch the metadata documents of clients.")
    async with site.database.read() as connection:
        client = await client_rows.find_fresh(connection, client_id, site.now())
    return client or await _fetch(site, site.documents, client_id, address)


async def _fetch(site: Site, documents: DocumentFetcher, client_id: str, address: str) -> Client | None:
    async with site.database.begin() as connection:
        await site.take(connection, "registrations", address)
    try:
        async with site.database.begin() as connection:
            await site.take(connection, "document_fetches", urlsplit(client_id).hostname or "")
    except TooManyRequests as fault:
        async with site.database.read() as connection:
            stale = await client_rows.find(connection, client_id)
        if stale is None:
            told = "Too many metadata documents were fetched from that host."
            raise TooManyRequests(told, retry_after=fault.retry_after) from None
        return stale  # whoever has the host asked too often does not keep its real clients out
    document = await documents.fetch(client_id)
    now = site.now()
    async with site.database.begin() as connection:
        await client_rows.drop_surplus(connection)
        await client_rows.put_document(connection, document.client, now, stale_at=now + document.life)
        return await client_rows.find(connection, client_id)
