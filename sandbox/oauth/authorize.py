"""/oauth/authorize: a page to choose a seeded user, and the redirect to the client."""

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.oauth.clients import FormFields, read_form, single
from sandbox.oauth.errors import NOT_STORED, OAuthRefusal, invalid_request, required
from sandbox.oauth.pages import PAGE_HEADERS, authorize_page, error_page
from sandbox.oauth.redirects import accepts, with_parameters
from sandbox.records.credentials import StoredAuthorizationCode, StoredOAuthClient
from sandbox.records.identifiers import new_id
from sandbox.records.records import Records
from sandbox.records.scopes import ALL_SCOPES
from sandbox.state.sandbox import Sandbox

CODE_LIFE: Final = timedelta(minutes=10)
_CHALLENGE: Final = r"[A-Za-z0-9_-]{43}"  # base64url of a SHA-256 (RFC 7636, section 4.2)


@dataclass(frozen=True)
class Asked:
    """A checked authorization request.

    Attributes:
        client: The application.
        redirect_uri: Where the browser is sent back.
        scopes: The scopes asked for.
        challenge: The PKCE challenge; None without PKCE, which web applications may omit.
    """

    client: StoredOAuthClient
    redirect_uri: str
    scopes: frozenset[str]
    challenge: str | None


def authorize_route(sandbox: Sandbox) -> Route:
    """Return the route of the page and its form."""

    async def answer(request: Request) -> Response:
        shows = request.method == "GET"
        try:
            form = single(request.query_params.multi_items()) if shows else await read_form(request)
            client, redirect_uri = _read_client(sandbox.records, form)
        except OAuthRefusal as error:  # there is no safe address to redirect to
            return HTMLResponse(error_page(str(error)), status_code=400, headers=PAGE_HEADERS)
        try:
            asked = _read(client, redirect_uri, form)
            if shows:
                return HTMLResponse(
                    authorize_page(sandbox.records, client.name, asked.scopes, form), headers=PAGE_HEADERS
                )
            members = {"code": _decide(sandbox, asked, form).value}
        except OAuthRefusal as error:
            members = error.members
        if "state" in form:
            members["state"] = form["state"]
        return RedirectResponse(with_parameters(redirect_uri, members), status_code=303, headers=NOT_STORED)

    return Route("/oauth/authorize", answer, methods=["GET", "POST"])


def _read_client(records: Records, form: FormFields) -> tuple[StoredOAuthClient, str]:
    client = records.clients.get(required(form, "client_id"))
    if client is None:
        raise invalid_request("This client is not registered.")
    redirect_uri = required(form, "redirect_uri")
    if not accepts(client, redirect_uri):
        raise invalid_request("This redirect_uri is not registered for the client.")
    return client, redirect_uri


def _read(client: StoredOAuthClient, redirect_uri: str, form: FormFields) -> Asked:
    """Check the rest of the request. Unknown scopes are dropped; without `scope` all are asked for."""
    if required(form, "response_type") != "code":
        raise OAuthRefusal("unsupported_response_type", "response_type is code.")
    named = form.get("scope", "").split()
    scopes = ALL_SCOPES.intersection(named) if named else ALL_SCOPES
    if not scopes:
        raise OAuthRefusal("invalid_scope", "None of these scopes exists.")
    return Asked(client, redirect_uri, scopes, _read_challenge(client, form))


def _read_challenge(client: StoredOAuthClient, form: FormFields) -> str | None:
    challenge = form.get("code_challenge")
    if challenge is None:
        if client.secret is None:
            raise invalid_request("code_challenge is missing: a native application needs PKCE.")
        return None
    if form.get("code_challenge_method") != "S256" or not re.fullmatch(_CHALLENGE, challenge):
        raise invalid_request("code_challenge must be an S256 challenge.")
    return challenge


def _decide(sandbox: Sandbox, asked: Asked, form: FormFields) -> StoredAuthorizationCode:
    """Issue a code for the chosen user.

    Raises:
        OAuthRefusal: access_denied, or nobody was chosen.
    """
    if form.get("decision") != "allow":
        raise OAuthRefusal("access_denied", "The person said no.")
    person = sandbox.records.users.get(form.get("person", ""))
    if person is None:
        raise invalid_request("No person was chosen.")
    code = StoredAuthorizationCode(
        value=f"sandbox-code-{secrets.token_urlsafe(24)}",
        user=person.id,
        scopes=asked.scopes,
        client=asked.client.id,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        expires_at=sandbox.clock.now() + CODE_LIFE,
        grant=new_id(),
    )
    sandbox.records.codes[code.value] = code
    return code
