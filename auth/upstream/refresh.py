"""Refreshing a connection's tokens: one process at a time, by a lease on its row, and never twice with one token.

The order is what makes it safe. The lease is taken in a transaction of its own; Calendly is asked while none is open;
the new tokens are written over the generation they came from. Killed before Calendly is asked, the lease runs out and
another process refreshes. Killed after, the new tokens are lost, the next process is told that the old refresh token
was used, and the person has to sign in again.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from auth.protocol.secrets import Random, nonce
from auth.upstream.connection_rows import ConnectionRows, Stored
from auth.upstream.lease import LEASE, Connection, Status, Step, decide, failed, renewed
from auth.upstream.login import CalendlyLoginError, IdentityUnproven, Tokens, Upstream, revoke_quietly
from storage.database import Database
from storage.errors import StorageUnavailable

POLL: Final = 0.2
"""Seconds between two looks at a row that another process refreshes."""

_SAVE_AGAIN: Final = (0.1, 0.5, 2.0, 5.0, 10.0, 30.0, 60.0)

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Watch:
    """For how long a row has been seen under one and the same lease, by a clock that does not jump."""

    clock: Callable[[], float]
    seen: tuple[int, str | None] | None = None
    since: float = 0.0

    def look(self, row: Connection | None) -> timedelta:
        lease = (row.generation, row.lease_holder) if row else None
        if lease != self.seen:
            self.seen, self.since = lease, self.clock()
        return timedelta(seconds=self.clock() - self.since)


@dataclass(eq=False)
class Renewals:
    """One process's part in refreshing.

    Args:
        database: Where connections are kept.
        rows: How they are.
        upstream: Who refreshes them.
        now: The wall clock.
        clock: Seconds that only move forward.
        sleep: Sleeps for so many seconds.
        random: Names leases.
    """

    database: Database
    rows: ConnectionRows
    upstream: Upstream
    now: Callable[[], datetime]
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Random = field(repr=False)

    async def renew(self, user: str, refused: int | None) -> None:
        """Have new tokens written, by this process or another, or find out that there will be none.

        Args:
            user: Whose connection it is.
            refused: As in `auth.upstream.lease.decide`.

        Raises:
            StorageError: The row could not be read or claimed.
        """
        watch = _Watch(self.clock)
        while True:
            async with self.database.read() as transaction:
                stored = await self.rows.read(transaction, user)
            row = stored.connection if stored else None
            step = decide(row, self.now(), refused=refused, watched=watch.look(row))
            if step is Step.WAIT:
                await self.sleep(POLL)
            elif step is not Step.CLAIM or stored is None or await self._is_done(stored):
                return

    async def _is_done(self, stored: Stored) -> bool:
        """Refresh, unless somebody else was quicker to take the lease."""
        refresh_token = self.rows.refresh_token(stored)  # before the lease: what cannot be read needs none
        seen = stored.connection
        claimed = replace(seen, lease_holder=nonce(self.random), lease_until=self.now() + LEASE)
        async with self.database.begin() as transaction:
            if not await self.rows.claim(transaction, seen, claimed):
                return False
        try:
            tokens = await self.upstream.refresh(refresh_token)
            if tokens.owner not in {None, seen.user}:
                raise IdentityUnproven("Calendly renewed the sign-in of one person with tokens of another.")
        except CalendlyLoginError as error:
            await self._note(claimed, error)
        else:
            await self._save(claimed, tokens)
        return True

    async def _note(self, claimed: Connection, error: CalendlyLoginError) -> None:
        row = failed(claimed, error, self.now())
        async with self.database.begin() as transaction:
            written = await self.rows.fail(transaction, claimed, row)
        outcome = row.status if written else "another process went on with it"
        _log.warning("the connection of %s was not refreshed: %s (%s)", row.user, error, outcome)

    async def _save(self, claimed: Connection, tokens: Tokens) -> None:
        """Write the new tokens. Nobody else has them, so a database that is gone is waited for."""
        row = renewed(claimed, tokens, self.now())
        for pause in _SAVE_AGAIN:
            try:
                return await self._write(claimed, row, tokens)
            except StorageUnavailable as error:
                _log.error("new tokens of %s are not stored yet, trying again: %s", row.user, error)
                await self.sleep(pause)
        return await self._write(claimed, row, tokens)

    async def _write(self, claimed: Connection, row: Connection, tokens: Tokens) -> None:
        async with self.database.begin() as transaction:
            if await self.rows.renew(transaction, claimed, row, tokens):
                return
            left = await self.rows.read(transaction, row.user)
        if left is None or left.connection.status is Status.REVOKED:
            # The person disconnected while Calendly was asked.
            await revoke_quietly(self.upstream, tokens)
