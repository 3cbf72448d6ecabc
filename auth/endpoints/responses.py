"""The way back to a client: what its redirect URI is told, always with its `state` and our `iss` (RFC 9207)."""

import re
from typing import Final

from starlette.responses import Response

from auth.endpoints.answers import see_other
from auth.endpoints.html import Back
from auth.endpoints.site import Realm
from auth.grants.clients import Client
from auth.protocol.errors import AccessDenied, OAuthError
from auth.protocol.redirect_uris import with_parameters

# RFC 6749, 4.1.2.1: printable ASCII without quotation mark and backslash.
_NOT_IN_DESCRIPTIONS: Final = re.compile(r"[^ !#-\[\]-~]")


def way_back(realm: Realm, redirect_uri: str, state: str | None, members: dict[str, str]) -> str:
    """Return the address that tells a client what became of its request."""
    stated = {} if state is None else {"state": state}
    return with_parameters(redirect_uri, {**members, **stated, "iss": realm.issuer})


def refuse(realm: Realm, client: Client, redirect_uri: str, state: str | None, fault: OAuthError) -> Response:
    """Tell a client why it gets nothing.

    One that nobody has approved yet could be anybody's, and its redirect URI any page: a person who followed its link
    stays with us, and goes there only by hand.
    """
    description = _NOT_IN_DESCRIPTIONS.sub("?", fault.description)
    address = way_back(realm, redirect_uri, state, {"error": fault.error, "error_description": description})
    if client.approved:
        return see_other(address)
    back = Back(client.name or "the app", address)
    if isinstance(fault, AccessDenied):
        return realm.pages.result("Nothing was allowed", "The app got no access to Calendly.", back)
    return realm.pages.error(fault.description, status=fault.status, back=back)
