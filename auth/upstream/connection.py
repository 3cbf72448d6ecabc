"""A connection to Calendly, when its tokens are refreshed, and what becomes of it: pure rules over values and a clock.

Calendly's refresh tokens are good for one use, so of all processes that share a connection one refreshes at a time:
under a lease on the row of a database (LEASE), or under a lock on this machine.

Clocks jump. A lease that seems to have run out too early costs a second request, which Calendly refuses, and never the
connection: the new tokens of the first are kept as long as nothing newer is. A lease that seems to last too long is
waited for by the waiter's own monotonic clock.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Final

from auth.upstream.login import CalendlyLoginError, GrantRefused, LoginBusy, LoginUnavailable, Tokens
from calendly.scopes import SCOPES, expand

# The token endpoint is given 10 seconds; the rest of the lease is for the two transactions around it.
LEASE: Final = timedelta(seconds=20)
# Access tokens live for two hours. A refresh that fails this early is tried again before anybody notices. For shorter
# lives it is an eighth of the life, so that no new token counts as ending.
EARLY: Final = timedelta(minutes=15)
EARLY_PART: Final = 8
# With less than this left, a token could end on its way.
MARGIN: Final = timedelta(seconds=30)
# A 401 forces a refresh. Another 401 so soon after a refresh is not the token's age.
RECENT: Final = timedelta(seconds=60)
# No answer of Calendly's, and no jump of the clock, stops us for longer.
LONGEST_PAUSE: Final = timedelta(hours=1)


class Status(StrEnum):
    """What a connection is good for."""

    ACTIVE = "active"
    NEEDS_REAUTH = "needs_reauth"
    REVOKED = "revoked"


class RefreshFailure(StrEnum):
    """Why the last refresh gave no tokens, though the connection stays what it was."""

    BUSY = "busy"
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


# How long the token endpoint is then left alone: Calendly allows 8 requests a minute and user.
PAUSES: Final = {
    RefreshFailure.BUSY: timedelta(seconds=60),
    RefreshFailure.UNAVAILABLE: timedelta(seconds=10),
    RefreshFailure.REFUSED: timedelta(seconds=60),
}


@dataclass(frozen=True, slots=True)
class Connection:
    """What is known about one Calendly user's tokens, without the tokens.

    Attributes:
        user: The user URI.
        generation: Rises with every change of the tokens, so that a writer can say which tokens it read.
        status: What it is good for.
        expires_at: When the access token ends.
        issued_at: When the tokens came from Calendly.
        refreshed_at: When they came by a refresh, None when a sign-in brought them.
        scopes: What Calendly granted, None while unknown.
        narrowed: Scopes that Calendly granted once and left out of a later answer.
        lease_holder: Who refreshes now, by a name that no other lease has; None when nobody does.
        lease_until: When that lease ends.
        retry_at: When the token endpoint may be asked again, None when nothing stands against it.
        failure: Why, None when the last refresh succeeded.
    """

    user: str
    generation: int
    status: Status
    expires_at: datetime
    issued_at: datetime
    scopes: frozenset[str] | None = None
    narrowed: frozenset[str] = field(default=frozenset())
    lease_holder: str | None = None
    lease_until: datetime | None = None
    retry_at: datetime | None = None
    failure: RefreshFailure | None = None
    refreshed_at: datetime | None = None


class Step(Enum):
    """What to do next for a caller that needs the access token."""

    USE = "send the token that is kept"
    REFRESH = "take the turn and refresh"
    WAIT = "read again soon: another process refreshes"


class Impasse(StrEnum):
    """Why there is no token now and none to wait for."""

    NOT_CONNECTED = "not_connected"
    NEEDS_REAUTH = "needs_reauth"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class GiveUp:
    """There is no token.

    Attributes:
        impasse: Why.
        failure: Why the last refresh failed, where that is the reason.
        retry_after: Seconds after which there may be a token, None when only a person can help.
    """

    impasse: Impasse
    failure: RefreshFailure | None = None
    retry_after: float | None = None


def decide(
    connection: Connection | None,
    now: datetime,
    *,
    refused: int | None = None,
    watched: timedelta = timedelta(0),
) -> Step | GiveUp:
    """Decide how to get a token that Calendly will take.

    Args:
        connection: As just read, None when there is none.
        now: The wall clock.
        refused: The generation whose access token Calendly answered with 401, None before anything was sent.
        watched: How long this process has seen the present lease, by its monotonic clock.
    """
    if connection is None or connection.status is Status.REVOKED:
        return GiveUp(Impasse.NOT_CONNECTED)
    if connection.status is Status.NEEDS_REAUTH:
        return GiveUp(Impasse.NEEDS_REAUTH)
    if _is_good(connection, now, refused):
        return Step.USE
    if (pause := _pause(connection, now)) is not None:
        return _without_refresh(connection, now, refused, pause)
    return Step.WAIT if _is_leased(connection, now, watched) else Step.REFRESH


def signed_in(before: Connection | None, user: str, tokens: Tokens, now: datetime) -> Connection:
    """Return the connection of somebody who signed in, in place of the one there was, if any."""
    if before is None:
        return _new(user, tokens, now, generation=1)
    if before.user != user or before.status is Status.REVOKED:
        return _new(user, tokens, now, generation=before.generation + 1)
    return replace(refreshed(before, tokens, now), refreshed_at=None)


def outlasts(before: Connection, tokens: Tokens) -> bool:
    """Say whether a connection can do something that the tokens of another sign-in cannot.

    Somebody who signs in from another browser is asked for what that one agent needs. Only Calendly itself narrows a
    connection, by a refresh or a revocation.
    """
    if before.status is not Status.ACTIVE or tokens.scopes is None:
        return False
    had = frozenset(SCOPES) if before.scopes is None else expand(before.scopes)
    return not had <= expand(tokens.scopes)


def refreshed(before: Connection, tokens: Tokens, now: datetime) -> Connection:
    """Return the connection with new tokens, whether a refresh or a sign-in that it does not outlast brought them.

    Their scopes replace what was known. A grant from before scopes were introduced could do everything, and its first
    refresh may end that. An answer that names no scopes takes nothing away.
    """
    lost = frozenset[str]()
    if tokens.scopes is not None:
        had = frozenset(SCOPES) if before.scopes is None else before.scopes
        lost = (before.narrowed | had) - expand(tokens.scopes)
    return replace(_new(before.user, tokens, now, generation=before.generation + 1), narrowed=lost, refreshed_at=now)


def failed(before: Connection, error: CalendlyLoginError, now: datetime) -> Connection:
    """Return the connection after a refresh that gave no tokens: only a refused grant ends it."""
    unleased = replace(before, lease_holder=None, lease_until=None)
    if isinstance(error, GrantRefused):
        return replace(unleased, status=Status.NEEDS_REAUTH)
    failure = _failure(error)
    pause = PAUSES[failure] if error.retry_after is None else timedelta(seconds=error.retry_after)
    return replace(unleased, failure=failure, retry_at=now + min(pause, LONGEST_PAUSE))


def _new(user: str, tokens: Tokens, now: datetime, *, generation: int) -> Connection:
    return Connection(user, generation, Status.ACTIVE, tokens.expires_at, now, tokens.scopes)


def _failure(error: CalendlyLoginError) -> RefreshFailure:
    if isinstance(error, LoginBusy):
        return RefreshFailure.BUSY
    return RefreshFailure.UNAVAILABLE if isinstance(error, LoginUnavailable) else RefreshFailure.REFUSED


def _is_good(connection: Connection, now: datetime, refused: int | None) -> bool:
    if refused == connection.generation:
        return connection.refreshed_at is not None and timedelta(0) <= now - connection.refreshed_at < RECENT
    if refused is not None:
        return True
    return connection.expires_at - now > min(EARLY, (connection.expires_at - connection.issued_at) / EARLY_PART)


def _pause(connection: Connection, now: datetime) -> timedelta | None:
    if connection.retry_at is None or not now < connection.retry_at <= now + LONGEST_PAUSE:
        return None
    return connection.retry_at - now


def _without_refresh(connection: Connection, now: datetime, refused: int | None, pause: timedelta) -> Step | GiveUp:
    if refused is None and connection.expires_at - now > MARGIN:
        return Step.USE
    return GiveUp(Impasse.PAUSED, connection.failure, pause.total_seconds())


def _is_leased(connection: Connection, now: datetime, watched: timedelta) -> bool:
    return connection.lease_until is not None and now < connection.lease_until and watched < LEASE
