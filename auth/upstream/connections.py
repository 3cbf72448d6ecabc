"""Connections to Calendly: one for each Calendly user, shared by all agents of that user."""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from auth.protocol.secrets import Random, nonce
from auth.upstream.connection import LEASE, Connection, Status, outlasts, signed_in
from auth.upstream.connection_rows import OF_USER, ConnectionRows, StoredConnection, stored_connection
from auth.upstream.login import SignIn, Tokens, Upstream, revoke_quietly
from auth.upstream.refresher import Held, Refreshed, Refresher
from calendly.errors import CalendlyError
from storage.connection import DatabaseConnection
from storage.database import Database
from storage.errors import StorageUnavailable
from storage.keys import KeyRing

_SAVE_AGAIN: Final = (0.1, 0.5, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Pauses between the tries to store new tokens, in seconds."""

_log: Final = logging.getLogger(__name__)


@dataclass(eq=False)
class Connections:
    """The connections of this process's database: `auth.upstream.refresher.Kept`.

    Attributes:
        database: Where they are kept.
        keyring: What their tokens are sealed under.
        upstream: Who refreshes and revokes them.
        reconnect_at: Where a person signs in at Calendly again.
        now: The wall clock.
        clock: Seconds that only move forward.
        sleep: Sleeps for a number of seconds.
        random: Names leases.
        refresher: Gives out their tokens.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    upstream: Upstream
    reconnect_at: str
    now: Callable[[], datetime]
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Random = field(repr=False)
    refresher: Refresher = field(init=False)

    def __post_init__(self) -> None:
        """Begin with no refresh under way."""
        self._rows = ConnectionRows(self.keyring)
        remedy = f"Connect Calendly again at {self.reconnect_at}."
        self.refresher = Refresher(self, remedy, self.now, self.clock, self.sleep)

    async def read(self, user: str) -> StoredConnection | None:
        """Return a user's connection. Raises StorageUnavailable."""
        return stored_connection(await self.database.find(OF_USER, user=user), self.keyring)

    async def refresh(self, seen: Held, ask: Callable[[Upstream], Awaitable[Refreshed]]) -> bool:
        """Refresh under a lease on the row. No transaction is open while Calendly is asked. Raises StorageUnavailable.

        A process that dies leaves a lease that runs out. One whose lease ran out still keeps its tokens, as long as the
        row has no newer ones.
        """
        row = seen.connection
        claimed = replace(row, lease_holder=nonce(self.random), lease_until=self.now() + LEASE)
        async with self.database.begin() as transaction:
            if not await self._rows.claim(transaction, row, claimed):
                return False
        after, tokens = await ask(self.upstream)
        if tokens is None:
            async with self.database.begin() as transaction:
                await self._rows.fail(transaction, claimed, after)
        else:
            await self._save(claimed, after, tokens)
        return True

    async def prove(self, sign_in: SignIn) -> None:
        """Refresh a connection that a sign-in would not replace, so that one which Calendly ended unnoticed is found.

        Otherwise the dead tokens were kept, and the person had to sign in a second time. Raises StorageUnavailable.
        """
        stored = await self.read(sign_in.person.uri)
        if stored is not None and outlasts(stored.connection, sign_in.tokens):
            with suppress(CalendlyError):  # whatever comes of it is stored
                await self.refresher.token(sign_in.person.uri, refused=stored.connection.generation)

    async def keep(self, transaction: DatabaseConnection, sign_in: SignIn) -> Connection:
        """Keep a sign-in as the user's connection, in the transaction that also knows the user.

        Its tokens replace those there were, unless those are good and can do more: other agents work with them.
        """
        user, tokens = sign_in.person.uri, sign_in.tokens
        stored = await self._rows.read(transaction, user, to_change=True)
        before = stored.connection if stored else None
        if before is not None and outlasts(before, tokens):
            return before
        row = signed_in(before, user, tokens, self.now())
        await self._rows.create(transaction, row, tokens)
        return row

    async def detach(self, transaction: DatabaseConnection, user: str) -> Tokens | None:
        """Revoke a user's connection here and delete its tokens, in the transaction that ends the last grant.

        Returns:
            The tokens, to be given to `end` once the transaction is committed; None when there are none.
        """
        stored = await self._rows.read(transaction, user, to_change=True)
        if stored is None or stored.connection.status is Status.REVOKED:
            return None
        row = stored.connection
        tokens = Tokens(stored.access_token, stored.refresh_token, row.expires_at, row.scopes, row.user)
        revoked = Connection(user, row.generation + 1, Status.REVOKED, row.expires_at, row.issued_at)
        await self._rows.revoke(transaction, revoked)
        return tokens

    async def end(self, tokens: Tokens) -> None:
        """Revoke detached tokens at Calendly."""
        await revoke_quietly(self.upstream, tokens)

    async def _save(self, claimed: Connection, row: Connection, tokens: Tokens) -> None:
        """Store the new tokens. Nobody else has them, so a database that is gone is waited for."""
        for pause in _SAVE_AGAIN:
            try:
                return await self._write(claimed, row, tokens)
            except StorageUnavailable as error:
                _log.error("new tokens of %s are not stored yet, trying again: %s", row.user, error)
                await self.sleep(pause)
        return await self._write(claimed, row, tokens)

    async def _write(self, claimed: Connection, row: Connection, tokens: Tokens) -> None:
        async with self.database.begin() as transaction:
            if await self._rows.replace(transaction, claimed, row, tokens):
                return
            left = await self._rows.read(transaction, row.user)
        if left is None or left.connection.status is Status.REVOKED:
            # The person disconnected while Calendly was asked.
            await revoke_quietly(self.upstream, tokens)
