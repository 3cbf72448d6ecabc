"""What an agent or a client is told when Calendly gave no tokens, or tokens that can do less than was asked.

No word of Calendly's is in it, and neither is a secret.
"""

from collections.abc import Collection, Iterable

from auth.protocol.errors import OAuthError, ServerError, TemporarilyUnavailable
from auth.upstream.connection import Connection, GiveUp, Impasse, RefreshFailure
from auth.upstream.login import CalendlyLoginError, LoginBusy, LoginUnavailable
from calendly.errors import CalendlyError, RateLimited, Unauthenticated, Unreachable
from calendly.scopes import expand, includes
from storage.errors import StorageError


def no_token(impasse: GiveUp, remedy: str) -> CalendlyError:
    """Return the error of a call that cannot have a token; `remedy` is the sentence on how to sign in again."""
    if impasse.impasse is Impasse.NOT_CONNECTED:
        return Unauthenticated(f"Nobody is signed in at Calendly here. {remedy}")
    if impasse.impasse is Impasse.NEEDS_REAUTH:
        return Unauthenticated(f"Calendly no longer accepts the sign-in. {remedy}")
    seconds = impasse.retry_after or 0.0
    if impasse.failure is RefreshFailure.BUSY:
        reason = f"Calendly allows no more requests for tokens now; ask again in {seconds:.0f} seconds."
        return RateLimited(reason, retry_after=seconds)
    if impasse.failure is RefreshFailure.UNAVAILABLE:
        return Unreachable(f"Calendly did not refresh the sign-in; it is tried again in {seconds:.0f} seconds.")
    return Unauthenticated("Calendly refuses to refresh the sign-in for this application: its id or secret is wrong.")


def to_call(fault: CalendlyLoginError | StorageError) -> CalendlyError:
    """Return the error of a call whose token cannot be read or refreshed."""
    if isinstance(fault, StorageError):
        return Unreachable("This server's database does not give the connection to Calendly now, so nothing was sent.")
    return (Unreachable if isinstance(fault, LoginUnavailable) else Unauthenticated)(fault.reason)


def to_client(fault: CalendlyLoginError) -> OAuthError:
    """Return the OAuth error of a client whose person could not sign in at Calendly."""
    return (TemporarilyUnavailable if isinstance(fault, LoginBusy | LoginUnavailable) else ServerError)(fault.reason)


def scope_note(
    connection: Connection, needed: Iterable[str], remedy: str, *, asked: Collection[str] = ()
) -> str | None:
    """Return what to add to Calendly's refusal for lack of scope, None when nothing is known about it.

    Args:
        connection: Whose scopes they are.
        needed: What the call needs.
        remedy: The sentence on how to sign in again.
        asked: What was asked of Calendly by a client that registered itself, which may be given less.
    """
    needed = frozenset(needed)
    lost = sorted(scope for scope in connection.narrowed if needed.intersection(expand({scope})))
    if lost:
        return f"Calendly once granted {', '.join(lost)} here and no longer does. {remedy}"
    granted = connection.scopes
    if not needed or not includes(asked, needed) or (granted is not None and includes(granted, needed)):
        return None
    return (
        "Calendly was asked for it, and may give less to a client that registered itself: whoever runs this server can "
        "create an application with this scope at developer.calendly.com and set CALENDLY_CLIENT_ID."
    )
