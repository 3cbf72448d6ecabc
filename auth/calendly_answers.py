"""What Calendly says when it sends a browser back: who signed in, or why nobody did."""

import logging
from typing import Final

from auth.authorization_responses import explain
from auth.errors import AccessDenied, ServerError
from auth.parameters import Parameters
from auth.realm import Realm
from auth.upstream import CalendlyLoginError, SignIn

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
        raise explain(fault) from fault
