"""Redirects: on to another page, and back to the client with its `state` and our `iss` (RFC 9207)."""

import re
from dataclasses import replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from auth.endpoints.html import Back
from auth.endpoints.site import Site
from auth.grants import grant_rows
from auth.grants.clients import Client
from auth.protocol.errors import AccessDenied, OAuthError
from auth.protocol.redirect_uris import destination, with_parameters

# RFC 6749, 4.1.2.1: printable ASCII without quotation mark and backslash.
_NOT_IN_DESCRIPTIONS: Final = re.compile(r"[^ !#-\[\]-~]")


def see_other(location: str) -> Response:
    """Redirect the browser with a GET whatever its method was (RFC 9700, 4.12), and without a referrer."""
    headers = {"Location": location, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    return Response(status_code=303, headers=headers)


def response_address(site: Site, redirect_uri: str, state: str | None, members: dict[str, str]) -> str:
    """Return the redirect URI with the result of a request in its query."""
    stated = {} if state is None else {"state": state}
    return with_parameters(redirect_uri, {**members, **stated, "iss": site.issuer})


async def as_known_here(site: Site, request: Request, client: Client) -> Client:
    """Return a client as approved only if whoever signed in last in this browser lets it in.

    Whoever had a client approved once, for himself, could otherwise send anybody's browser to its redirect URI with a
    request that is refused before a person is asked (RFC 9700, 4.11.2).
    """
    person = site.cookies.read_person(request)
    if person is None:
        return replace(client, approved=False)
    async with site.database.read() as connection:
        access = await grant_rows.find_access(connection, person, client.id, site.resource)
    return replace(client, approved=access is not None)


def refuse(site: Site, client: Client, redirect_uri: str, state: str | None, fault: OAuthError) -> Response:
    """Tell a client why its request was refused.

    The redirect URI of a client that nobody has approved yet may be any page. So the person stays on a page of ours,
    with a link to it that names the host.
    """
    description = _NOT_IN_DESCRIPTIONS.sub("?", fault.description)
    address = response_address(site, redirect_uri, state, {"error": fault.error, "error_description": description})
    if client.approved:
        return see_other(address)
    back = Back(destination(redirect_uri), address)
    if isinstance(fault, AccessDenied):
        return site.pages.result("Nothing was allowed", "The app got no access to Calendly.", back)
    return site.pages.error(fault.description, status=fault.status, back=back)
