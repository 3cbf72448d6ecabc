"""Both halves of a sign-in at Calendly: the browser is sent there, and it comes back with an answer."""

import logging
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from auth.endpoints.site import Site
from auth.protocol.errors import AccessDenied, ServerError
from auth.protocol.parameters import Parameters
from auth.protocol.secrets import digest, nonce
from auth.upstream.login import CalendlyLoginError, SignIn
from auth.upstream.refusals import to_client

# An error code goes onto a page, so it must be as plain as the codes of the RFCs are.
_CODE: Final = re.compile(r"[a-z_]{1,40}")

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Departure:
    """A sign-in that starts.

    Attributes:
        address: Where the browser goes.
        state_digest: The digest of the state in that address.
        approval: The secret that the browser gets as a cookie and has to bring back.
        verifier: The verifier of the PKCE.
    """

    address: str
    state_digest: str
    approval: str = field(repr=False)
    verifier: str = field(repr=False)


async def depart(site: Site, scopes: Collection[str]) -> Departure:
    """Start a sign-in at Calendly. Raises OAuthError."""
    approval, state, verifier = (nonce(site.random) for _ in range(3))
    try:
        address = await site.upstream.authorization_url(state=state, verifier=verifier, scopes=scopes)
    except CalendlyLoginError as fault:
        raise to_client(fault) from fault
    return Departure(address, digest(state), approval, verifier)


async def identify(site: Site, verifier: str, parameters: Parameters) -> SignIn:
    """Exchange Calendly's answer for the tokens and the person who signed in. Raises OAuthError."""
    if parameters.get("iss", "").rstrip("/") not in {"", *site.calendly_issuers}:  # RFC 9207, 2.4
        raise ServerError("The answer to the sign-in names another server than Calendly's.")
    error, code = parameters.get("error"), parameters.get("code")
    if error == AccessDenied.error:
        raise AccessDenied("The person did not allow it at Calendly.")
    if error is not None or code is None:
        named = f" ({error})" if error is not None and _CODE.fullmatch(error) else ""
        raise ServerError(f"Calendly did not let the person sign in{named}.")
    try:
        return await site.upstream.sign_in(code=code, verifier=verifier)
    except CalendlyLoginError as fault:
        _log.warning("a sign-in at Calendly failed: %s", fault)
        raise to_client(fault) from fault
