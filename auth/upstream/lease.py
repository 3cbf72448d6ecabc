"""Who refreshes a connection's tokens, when, and what comes of it: pure rules over its row and the clock.

Calendly's refresh tokens are good for one use, so of all processes on one database one refreshes at a time. It claims
the row's lease by a conditional UPDATE, asks Calendly while no transaction is open, and writes the new tokens only over
the generation it read. A process that dies leaves a lease that runs out.

Clocks jump. A lease that seems to have run out too early costs a second request, which Calendly refuses, and never the
connection: the write of the first is fenced by the generation alone. One that seems to last too long is waited for by
the waiter's own monotonic clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from auth.upstream.login import CalendlyLoginError, GrantRefused, LoginBusy, LoginUnavailable, Tokens
from calendly.errors import CalendlyError, RateLimited, Unauthenticated, Unreachable
from calendly.scopes import SCOPES, expand, includes

# The token endpoint is given 10 seconds; what remains of the lease is for the two transactions around it.
LEASE = timedelta(seconds=20)
# Access tokens live for two hours. This early, a refresh that fails can be tried again before anybody notices. Should
# they ever live shorter, an eighth of their life: no new token may be as good as over.
EARLY = timedelta(minutes=15)
EARLY_PART = 8
# With less than this left, a token could end on its way.
MARGIN = timedelta(seconds=30)
# A forced refresh answers a 401. Another 401 so soon after it is not the token's age.
RECENT = timedelta(seconds=60)
# No answer of Calendly's stops us for longer, nor does one that a clock's jump has carried off.
LONGEST_PAUSE = timedelta(hours=1)


class Status(StrEnum):
    """What a connection is good for."""

    ACTIVE = "active"
    NEEDS_REAUTH = "needs_reauth"
    REVOKED = "revoked"


class Failure(StrEnum):
    """Why the last refresh brought nothing, though the connection stays what it was."""

    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


# For so long the token endpoint is then left alone: Calendly allows 8 requests a minute and user.
PAUSES = {
    Failure.BUSY: timedelta(seconds=60),
    Failure.UNAVAILABLE: timedelta(seconds=10),
    Failure.REFUSED: timedelta(seconds=60),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """What is known about one Calendly user's tokens, without the tokens.

    Attributes:
        user: The user URI.
        generation: Rises with every change of the tokens; whoever writes says which one was read.
        expires_at: When the access token ends.
        renewed_at: When the tokens came from Calendly.
        scopes: What Calendly granted, None while unknown.
        narrowed: Scopes that a later answer of Calendly's no longer had.
        lease_holder: Who refreshes at the moment, None when nobody does; a new name for every lease.
        lease_until: When that lease ends.
        retry_at: Nothing is asked of the token endpoint before, None when nothing stands against it.
        failure: Why, None when the last refresh succeeded.
    """

    user: str
    generation: int
    status: Status
    expires_at: datetime
    renewed_at: datetime
    scopes: frozenset[str] | None = None
    narrowed: frozenset[str] = field(default=frozenset())
    lease_holder: str | None = None
    lease_until: datetime | None = None
    retry_at: datetime | None = None
    failure: Failure | None = None


class Step(Enum):
    """What to do next for somebody who needs the access token."""

    USE = "send the token that is stored"
    JOIN = "wait for the refresh that this process has under way"
    CLAIM = "take the lease and refresh"
    WAIT = "read the row again soon: another process refreshes"


class Impasse(StrEnum):
    """Why there is no token now and none to wait for."""

    NOT_CONNECTED = "not_connected"
    NEEDS_REAUTH = "needs_reauth"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class GiveUp:
    """There is no token to be had; after `retry_after` seconds, where it is set, there may be."""

    impasse: Impasse
    failure: Failure | None = None
    retry_after: float | None = None


def decide(
    row: Connection | None,
    now: datetime,
    *,
    refused: int | None = None,
    renewing: bool = False,
    watched: timedelta = timedelta(0),
) -> Step | GiveUp:
    """Say how to come by a token that Calendly will take.

    Args:
        row: The connection as just read, None when there is none.
        now: The wall clock.
        refused: The generation whose access token Calendly answered with 401, None before anything was sent.
        renewing: Whether this process has a refresh of this connection under way.
        watched: For how long, by its own monotonic clock, this process has seen the row under the lease it has now.
    """
    if row is None or row.status is Status.REVOKED:
        return GiveUp(Impasse.NOT_CONNECTED)
    if row.status is Status.NEEDS_REAUTH:
        return GiveUp(Impasse.NEEDS_REAUTH)
    if _is_good(row, now, refused):
        return Step.USE
    if renewing:
        return Step.JOIN
    if (pause := _pause(row, now)) is not None:
        return _without_refresh(row, now, refused, pause)
    return Step.WAIT if _is_leased(row, now, watched) else Step.CLAIM


def signed_in(before: Connection | None, user: str, tokens: Tokens, now: datetime) -> Connection:
    """Return the connection of somebody who signed in, in place of the one there was, if any."""
    if before is None:
        return _new(user, tokens, now, generation=1)
    if before.user != user or before.status is Status.REVOKED:
        return _new(user, tokens, now, generation=before.generation + 1)
    return renewed(before, tokens, now)


def renewed(before: Connection, tokens: Tokens, now: datetime) -> Connection:
    """Return the connection with new tokens, whether a refresh or another sign-in brought them.

    Their scopes replace what was known. A grant from before scopes were introduced could do everything, and its first
    refresh may end that; scopes that Calendly does not tell take nothing away.
    """
    lost = frozenset[str]()
    if tokens.scopes is not None:
        had = frozenset(SCOPES) if before.scopes is None else before.scopes
        lost = (before.narrowed | had) - expand(tokens.scopes)
    return replace(_new(before.user, tokens, now, generation=before.generation + 1), narrowed=lost)


def failed(before: Connection, error: CalendlyLoginError, now: datetime) -> Connection:
    """Return the connection after a refresh that brought no tokens: only a refused grant ends it."""
    unleased = replace(before, lease_holder=None, lease_until=None)
    if isinstance(error, GrantRefused):
        return replace(unleased, status=Status.NEEDS_REAUTH)
    failure = _failure(error)
    pause = PAUSES[failure] if error.retry_after is None else timedelta(seconds=error.retry_after)
    return replace(unleased, failure=failure, retry_at=now + min(pause, LONGEST_PAUSE))


def explain(impasse: GiveUp, remedy: str) -> CalendlyError:
    """Return the error of a call that cannot have a token; `remedy` is the sentence that says how to sign in again."""
    if impasse.impasse is Impasse.NOT_CONNECTED:
        return Unauthenticated(f"Nobody is signed in at Calendly here. {remedy}")
    if impasse.impasse is Impasse.NEEDS_REAUTH:
        return Unauthenticated(f"Calendly no longer accepts the sign-in. {remedy}")
    seconds = impasse.retry_after or 0.0
    if impasse.failure is Failure.BUSY:
        reason = f"Calendly allows no more requests for tokens now; ask again in {seconds:.0f} seconds."
        return RateLimited(reason, retry_after=seconds)
    if impasse.failure is Failure.UNAVAILABLE:
        return Unreachable(f"Calendly did not renew the sign-in; it is tried again in {seconds:.0f} seconds.")
    return Unauthenticated("Calendly refuses to renew the sign-in for this application: its id or secret is wrong.")


def narrowing_note(row: Connection, required: Iterable[str], remedy: str) -> str | None:
    """Return what to add to a refusal for lack of scope, None when Calendly took none of the `required` away."""
    needed = frozenset(required)
    lost = sorted(scope for scope in row.narrowed if needed.intersection(expand({scope})))
    if not lost:
        return None
    return f"Calendly once granted {', '.join(lost)} here and no longer does. {remedy}"


def ungranted_note(row: Connection, asked: Iterable[str]) -> str | None:
    """Return what to add to a refusal where the client at Calendly registered itself; None when `asked` was granted."""
    asked = frozenset(asked)
    if not asked or (row.scopes is not None and includes(row.scopes, asked)):
        return None
    return (
        "Calendly was asked for it, and may give less to a client that registered itself: whoever runs this server can "
        "create an application with this scope at developer.calendly.com and set CALENDLY_CLIENT_ID."
    )


def _new(user: str, tokens: Tokens, now: datetime, *, generation: int) -> Connection:
    return Connection(user, generation, Status.ACTIVE, tokens.expires_at, now, tokens.scopes)


def _failure(error: CalendlyLoginError) -> Failure:
    if isinstance(error, LoginBusy):
        return Failure.BUSY
    return Failure.UNAVAILABLE if isinstance(error, LoginUnavailable) else Failure.REFUSED


def _is_good(row: Connection, now: datetime, refused: int | None) -> bool:
    if refused == row.generation:
        return timedelta(0) <= now - row.renewed_at < RECENT
    if refused is not None:
        return True
    return row.expires_at - now > min(EARLY, (row.expires_at - row.renewed_at) / EARLY_PART)


def _pause(row: Connection, now: datetime) -> timedelta | None:
    if row.retry_at is None or not now < row.retry_at <= now + LONGEST_PAUSE:
        return None
    return row.retry_at - now


def _without_refresh(row: Connection, now: datetime, refused: int | None, pause: timedelta) -> Step | GiveUp:
    if refused is None and row.expires_at - now > MARGIN:
        return Step.USE
    return GiveUp(Impasse.PAUSED, row.failure, pause.total_seconds())


def _is_leased(row: Connection, now: datetime, watched: timedelta) -> bool:
    return row.lease_until is not None and now < row.lease_until and watched < LEASE
