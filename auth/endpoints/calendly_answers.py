"""What Calendly says when it sends a browser back: who signed in, or why nobody did."""

import logging
from typing import Final

from auth.endpoints.site import Realm
from auth.protocol.errors import AccessDenied, ServerError
from auth.protocol.parameters import Parameters
from auth.upstream.login import CalendlyLoginError, SignIn
from auth.upstream.refusals import to_client

_log: Final = logging.getLogger(__name__)


async def prove(realm: Realm, verifier: str, parameters: Parameters) -> SignIn:
    """Have Calendly say who signed in. Raises OAuthError."""
    error, code = parameters.get("error"), parameters.get("code")
    if error == AccessDenied.error:
        raise AccessDenied("The person did not allow it at Calendly.")
    if error is not None or code is None:
        raise ServerError("Calendly did not let the person sign in.")
    try:
        return await realm.upstream.sign_in(code=code, verifier=verifier)
    except CalendlyLoginError as fault:
        _log.warning("a sign-in at Calendly failed: %s", fault)
        raise to_client(fault) from fault
