"""Refreshing tokens, for the connections of a database and for the login of one machine alike.

The order is what makes it safe. A process takes its turn, asks Calendly, and keeps the new tokens only in place of
those it read. Killed before Calendly is asked, it leaves the refresh to the next process. Killed after, the new tokens
are lost, the next process is told that the old refresh token was used, and the person has to sign in again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from auth.upstream.connection import Connection, GiveUp, Step, decide, failed, refreshed
from auth.upstream.login import CalendlyLoginError, IdentityUnproven, Tokens, Upstream
from auth.upstream.refusals import no_token, scope_note, to_call
from calendly.errors import CalendlyError, RateLimited, Unreachable
from storage.errors import StorageError

POLL: Final = 0.2
"""Seconds between two looks at a connection that another process refreshes."""

_LAST_WORDS: Final = 15.0
"""How long a process that ends waits for its refreshes, in seconds."""

_FRESH: Final = 1.0
"""How long a connection that was read for a call counts as current, in seconds. A call that waits reads it again."""

_log: Final = logging.getLogger(__name__)

Refreshed = tuple[Connection, Tokens | None]
"""A connection after Calendly was asked, and the tokens that it gave."""


class Held(Protocol):
    """A connection with its tokens. Reading a token may raise StorageError."""

    @property
    def connection(self) -> Connection:
        """What is known about the tokens."""
        ...

    @property
    def access_token(self) -> str:
        """Sent to Calendly's API."""
        ...

    @property
    def refresh_token(self) -> str:
        """Good for one use."""
        ...


class Kept(Protocol):
    """Where connections are kept. Every method may raise CalendlyLoginError or StorageError."""

    async def read(self, user: str) -> Held | None:
        """Return a user's connection, None when there is none. Raises Unauthenticated for somebody else's."""
        ...

    async def refresh(self, seen: Held, ask: Callable[[Upstream], Awaitable[Refreshed]]) -> bool:
        """Take this process's turn, have Calendly asked, and keep what comes of it.

        Args:
            seen: The connection as it was read.
            ask: Asks Calendly and does not fail.

        Returns:
            Whether it was this process's turn; if not, the connection is not what was seen, and nothing was asked.
        """
        ...


@dataclass(eq=False)
class Refresher:
    """Gives out the tokens of what one process keeps, refreshed once however many calls wait.

    Attributes:
        kept: Where the connections are.
        remedy: The sentence that says how to sign in at Calendly again.
        now: The wall clock.
        clock: Seconds that only move forward.
        sleep: Sleeps for a number of seconds.
    """

    kept: Kept
    remedy: str
    now: Callable[[], datetime]
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    _under_way: dict[str, asyncio.Task[None]] = field(
        default_factory=dict[str, asyncio.Task[None]], init=False, repr=False
    )

    def credentials(self, user: str, held: Held | None = None) -> "ConnectionCredentials":
        """Return the credentials of a user: `calendly.request.AccountCredentials`.

        Args:
            user: Whose.
            held: Their connection, where it has just been read.
        """
        return ConnectionCredentials(self, user, held)

    async def token(self, user: str, refused: int | None = None, held: Held | None = None) -> tuple[int, str]:
        """Return the generation and the access token to send now, refreshed if need be.

        Args:
            user: Whose.
            refused: The generation that Calendly answered with 401; a newer one is then returned.
            held: The connection, where it has just been read.

        Raises:
            Unauthenticated: The user has to sign in at Calendly again, or never did.
            RateLimited: Calendly allows no request for tokens now.
            Unreachable: Calendly did not answer one and it is too early for another, or nothing can be read.
        """
        try:
            while True:
                held = held or await self.kept.read(user)
                step = decide(held.connection if held else None, self.now(), refused=refused)
                if isinstance(step, GiveUp):
                    raise no_token(step, self.remedy)
                if step is Step.USE and held is not None:
                    return held.connection.generation, held.access_token
                # A caller that is cancelled leaves the refresh to go on: Calendly answers it only once.
                await asyncio.shield(self._under_way.get(user) or self._begin(user, refused))
                held = None
        except (CalendlyLoginError, StorageError) as fault:
            raise to_call(fault) from None

    async def note(self, scopes: Iterable[str], *, user: str, asked: Collection[str]) -> str | None:
        """Return `auth.upstream.refusals.scope_note` for a user, None where the connection cannot be read."""
        try:
            held = await self.kept.read(user)
        except (CalendlyError, CalendlyLoginError, StorageError):
            return None
        return scope_note(held.connection, scopes, self.remedy, asked=asked) if held else None

    async def finish(self) -> None:
        """Wait for the refreshes under way: a process that left now would lose what Calendly answers."""
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=_LAST_WORDS)

    def _begin(self, user: str, refused: int | None) -> asyncio.Task[None]:
        task = self._under_way[user] = asyncio.create_task(self._refresh(user, refused))

        def done(_: asyncio.Task[None]) -> None:
            del self._under_way[user]
            if not task.cancelled():
                task.exception()  # whoever waits gets it; perhaps nobody does any more

        task.add_done_callback(done)
        return task

    async def _refresh(self, user: str, refused: int | None) -> None:
        """Have new tokens kept, by this process or another, or find out that there will be none."""
        watch = _Watch(self.clock)
        while True:
            held = await self.kept.read(user)
            connection = held.connection if held else None
            step = decide(connection, self.now(), refused=refused, watched=watch.look(connection))
            if step is Step.WAIT:
                await self.sleep(POLL)
            elif step is not Step.REFRESH or held is None or await self._is_done(held):
                return

    async def _is_done(self, held: Held) -> bool:
        """Refresh, unless another process was quicker. A refresh token that cannot be read takes no turn."""
        return await self.kept.refresh(held, partial(self._ask, held.connection, held.refresh_token))

    async def _ask(self, before: Connection, refresh_token: str, upstream: Upstream) -> Refreshed:
        try:
            tokens = await upstream.refresh(refresh_token)
            if tokens.owner not in {None, before.user}:
                raise IdentityUnproven("Calendly refreshed the sign-in of one person with tokens of another.")
        except CalendlyLoginError as error:
            _log.warning("the connection of %s was not refreshed: %s", before.user, error)
            return failed(before, error, self.now()), None
        return refreshed(before, tokens, self.now()), tokens


@dataclass(eq=False)
class ConnectionCredentials:
    """The token of one Calendly user as calls need it: `calendly.request.AccountCredentials`."""

    _refresher: Refresher = field(repr=False)
    _user: str
    _held: Held | None = field(default=None, repr=False)
    _held_until: float = field(default=0.0, init=False)
    _sent: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        """Begin with the connection that was read."""
        self._held_until = self._refresher.clock() + _FRESH

    async def access_token(self) -> str:
        """Return the token to send now. Raises as `Refresher.token` does."""
        held = self._held if self._refresher.clock() < self._held_until else None
        self._sent, token = await self._refresher.token(self._user, held=held)
        return token

    async def refresh(self) -> bool:
        """After a 401: refresh once, and say whether there is a token worth one more try. Raises Unauthenticated."""
        if self._sent is None:
            return False
        try:
            await self._refresher.token(self._user, refused=self._sent)
        except (RateLimited, Unreachable):
            return False
        return True


@dataclass(eq=False)
class _Watch:
    """How long a connection has been seen under the same lease, by a clock that does not jump."""

    clock: Callable[[], float]
    seen: tuple[int, str | None] | None = None
    since: float = 0.0

    def look(self, connection: Connection | None) -> timedelta:
        lease = (connection.generation, connection.lease_holder) if connection else None
        if lease != self.seen:
            self.seen, self.since = lease, self.clock()
        return timedelta(seconds=self.clock() - self.since)
