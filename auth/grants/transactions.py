"""Sign-ins under way: what a client asked for, and which browser may go on. Pure.

/authorize      a transaction begins; the consent form has its secret, the browser a cookie
/consent        the person decides; approval gives the browser a second cookie and Calendly a state
/oauth/callback Calendly sends the browser back with the state; the transaction ends, whatever comes of it
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from auth.access.levels import Access, Allowance
from auth.protocol.errors import Stopped
from auth.protocol.scopes import Scopes
from auth.protocol.secrets import digest

TRANSACTION_LIFE: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """What a client asked for at /authorize, checked.

    Attributes:
        client: Its id.
        redirect_uri_sent: It was in the request, so it must be in the token request too (RFC 6749,
            4.1.3).
        state: The client's own, returned to it unchanged.
        challenge: The S256 challenge of the client's PKCE.
        scopes: What it asked for and this server can give.
    """

    client: str
    redirect_uri: str
    redirect_uri_sent: bool
    state: str | None
    challenge: str
    resource: str
    scopes: Scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction(AuthorizationRequest):
    """A stored sign-in.

    Attributes:
        digest: Of the secret in the consent form; names the row.
        browser_digest: Of the cookie of the browser that was shown the form.
        shown: The levels that the page had chosen before the person touched it.
        shown_to: The person whose earlier choices `shown` took into account, None when nobody was
            known.
        approved: The scopes that the person allowed, None before the approval.
        chosen: The levels that the person chose; empty before.
        approval_digest: Of the cookie set at approval, None before.
        state_digest: Of the state sent to Calendly, None before the approval.
        verifier_ciphertext: Of the PKCE towards Calendly, None before the approval and after the
            end.
        ended_at: When the person denied, or Calendly answered.
    """

    digest: str
    browser_digest: str
    expires_at: datetime
    shown: Access
    shown_to: str | None
    approved: Scopes | None = None
    chosen: Access = field(default_factory=dict[str, Allowance])
    approval_digest: str | None = None
    state_digest: str | None = None
    verifier_ciphertext: bytes | None = field(default=None, repr=False)
    ended_at: datetime | None = None


def check_form(transaction: Transaction | None, browser: str | None, now: datetime) -> Transaction:
    """Check that a consent form comes in time and from the browser it was shown in.

    A person may go back and approve again until Calendly answers.

    Args:
        transaction: What the form's secret names.
        browser: The secret of the browser cookie.
        now: The time.

    Raises:
        Stopped: It does not, or it is too late.
    """
    return _check(transaction, browser, None if transaction is None else transaction.browser_digest, now)


def check_return(transaction: Transaction | None, approval: str | None, now: datetime) -> Transaction:
    """Check that Calendly sends back the browser in which the person approved, once and in time.

    Args:
        transaction: What the state names.
        approval: The secret of the approval cookie.
        now: The time.

    Raises:
        Stopped: It is another browser, or too late.
    """
    return _check(transaction, approval, None if transaction is None else transaction.approval_digest, now)


def _check(transaction: Transaction | None, secret: str | None, expected: str | None, now: datetime) -> Transaction:
    if transaction is None:
        raise Stopped("This server knows no such sign-in, or no longer. Start again from your app.")
    if transaction.ended_at is not None:
        raise Stopped("This sign-in was finished before. Start again from your app.")
    if now >= transaction.expires_at:
        raise Stopped("This sign-in took longer than ten minutes. Start again from your app.")
    if secret is None or expected is None or digest(secret) != expected:
        raise Stopped(
            "This sign-in was started in another browser, or this browser does not keep our cookies. Start again from "
            "your app, in one browser."
        )
    return transaction
