"""Connections to Calendly: one for each Calendly user, shared by all agents of that user.

Its access token is handed out while it is good for a while yet; before that ends it is refreshed, once, whatever the
number of calls and processes that wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.protocol.secrets import Random
from auth.upstream.connection_rows import ConnectionRows
from auth.upstream.lease import Connection, GiveUp, Status, Step, decide, explain, signed_in
from auth.upstream.login import SignIn, Tokens, Upstream, revoke_quietly
from auth.upstream.refresh import Renewals
from calendly.errors import RateLimited, Unreachable
from storage.database import Database
from storage.keys import KeyRing

_LAST_WORDS: Final = 15.0
"""Seconds that a process which ends gives the refreshes it has under way."""


@dataclass(eq=False)
class Connections:
    """The connections of this process's database.

    Args:
        database: Where they are kept.
        keyring: What their tokens are sealed under.
        upstream: Who refreshes and revokes them.
        reconnect_at: Where a person signs in at Calendly again.
        now: The wall clock.
        clock: Seconds that only move forward.
        sleep: Sleeps for so many seconds.
        random: So many unpredictable bytes.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    upstream: Upstream
    reconnect_at: str
    now: Callable[[], datetime]
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    random: Random = field(repr=False)

    def __post_init__(self) -> None:
        """Begin with nothing under way."""
        self._rows = ConnectionRows(self.keyring)
        self._renewals = Renewals(
            self.database, self._rows, self.upstream, self.now, self.clock, self.sleep, self.random
        )
        self._under_way: dict[str, asyncio.Task[None]] = {}

    @property
    def remedy(self) -> str:
        """The sentence that says how to sign in at Calendly again."""
        return f"Connect Calendly again at {self.reconnect_at}."

    def credentials(self, user: str) -> "ConnectionCredentials":
        """Return the credentials of one call on behalf of a user: `calendly.request.Credentials`."""
        return ConnectionCredentials(self, user)

    async def describe(self, user: str) -> Connection | None:
        """Return what is known about a user's connection. Raises StorageUnavailable."""
        async with self.database.read() as transaction:
            stored = await self._rows.read(transaction, user)
        return stored.connection if stored else None

    async def keep(self, transaction: AsyncConnection, sign_in: SignIn) -> Connection:
        """Keep a sign-in as the user's connection, in the transaction that also knows the user.

        Its tokens replace those there were, even where Calendly granted less than before; `narrowed` says what is lost.
        """
        user, tokens = sign_in.person.uri, sign_in.tokens
        before = await self._rows.read(transaction, user, to_change=True)
        row = signed_in(before.connection if before else None, user, tokens, self.now())
        await self._rows.create(transaction, row, tokens)
        return row

    async def detach(self, transaction: AsyncConnection, user: str) -> Tokens | None:
        """Revoke a user's connection here and delete its tokens, in the transaction that ends the last grant.

        Returns:
            The tokens, to be given to `end` once the transaction is committed; None when there are none.
        """
        stored = await self._rows.read(transaction, user, to_change=True)
        if stored is None or stored.connection.status is Status.REVOKED:
            return None
        row = stored.connection
        tokens = Tokens(
            self._rows.access_token(stored), self._rows.refresh_token(stored), row.expires_at, row.scopes, row.user
        )
        revoked = Connection(user, row.generation + 1, Status.REVOKED, row.expires_at, row.renewed_at)
        await self._rows.revoke(transaction, revoked)
        return tokens

    async def end(self, tokens: Tokens) -> None:
        """Revoke detached tokens at Calendly."""
        await revoke_quietly(self.upstream, tokens)

    async def token(self, user: str, refused: int | None = None) -> tuple[int, str]:
        """Return the generation and the access token to send now, refreshed if need be.

        A caller that is cancelled leaves the refresh to go on: Calendly's answer to it comes only once.

        Args:
            user: Whose token.
            refused: The generation that Calendly answered with 401; a newer one is then asked for.

        Raises:
            Unauthenticated: The user has to sign in at Calendly again, or never did.
            RateLimited: Calendly allows no request for tokens now.
            Unreachable: Calendly did not answer such a request, and it is too early for another.
            StorageError: The database or the key ring does not give it.
        """
        while True:
            async with self.database.read() as transaction:
                stored = await self._rows.read(transaction, user)
            row = stored.connection if stored else None
            step = decide(row, self.now(), refused=refused, renewing=user in self._under_way)
            if isinstance(step, GiveUp):
                raise explain(step, self.remedy)
            if step is Step.USE and stored is not None:
                return stored.connection.generation, self._rows.access_token(stored)
            await asyncio.shield(self._under_way.get(user) or self._begin(user, refused))

    async def finish(self) -> None:
        """Wait for the refreshes under way: a process that left now would lose what Calendly answers."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=_LAST_WORDS)

    def _begin(self, user: str, refused: int | None) -> asyncio.Task[None]:
        task = self._under_way[user] = asyncio.create_task(self._renewals.renew(user, refused))

        def done(_: asyncio.Task[None]) -> None:
            del self._under_way[user]
            if not task.cancelled():
                task.exception()  # whoever waits gets it; it is no secret that nobody may wait any more

        task.add_done_callback(done)
        return task


class ConnectionCredentials:
    """The token of one Calendly user as one call needs it."""

    def __init__(self, connections: Connections, user: str) -> None:
        self._connections = connections
        self._user = user
        self._sent: int | None = None

    async def access_token(self) -> str:
        """Return the token to send now. Raises as `Connections.token` does."""
        self._sent, token = await self._connections.token(self._user)
        return token

    async def renew(self) -> bool:
        """After a 401: refresh once, and say whether there is a token worth one more try.

        Raises:
            Unauthenticated: The user has to sign in at Calendly again.
        """
        if self._sent is None:
            return False
        try:
            await self._connections.token(self._user, refused=self._sent)
        except (RateLimited, Unreachable):
            return False
        return True
