"""The token of the local login, as a server on this machine sends it.

Several programs of one person share the login, each with a server of its own. Whoever finds the token near its end
refreshes it under the lock; the others find it refreshed. Authlib and the keyring are loaded only when they are needed.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from auth.local.login_store import LocalLogin, LoginStore
from auth.upstream.lease import Connection, GiveUp, Step, decide, explain, failed, renewed
from auth.upstream.login import CalendlyLoginError, IdentityUnproven, LoginUnavailable, Upstream
from calendly.errors import RateLimited, Unauthenticated, Unreachable

_log = logging.getLogger(__name__)

REMEDY: Final = "Run `calendly-mcp login`."


@dataclass(eq=False)
class LocalCredentials:
    """The credentials of whoever signed in on this machine: `calendly.request.Credentials`.

    Args:
        store: Where the login is kept.
        upstream: Gives Calendly's authorization server for a login.
        now: The wall clock.
    """

    store: LoginStore
    upstream: Callable[[LocalLogin], Upstream]
    now: Callable[[], datetime]
    _login: LocalLogin | None = field(default=None, init=False, repr=False)
    _unsaved: LocalLogin | None = field(default=None, init=False, repr=False)
    _sent: int | None = field(default=None, init=False)
    _under_way: asyncio.Task[None] | None = field(default=None, init=False, repr=False)

    @property
    def person(self) -> str | None:
        """Whose token was returned last, as a user URI; None before any was."""
        return None if self._login is None else self._login.person.uri

    @property
    def connection(self) -> Connection | None:
        """What is known about the token that was returned last; None before any was."""
        return None if self._login is None else self._login.connection

    async def access_token(self) -> str:
        """Return the token to send now.

        Raises:
            Unauthenticated: Nobody is signed in, or Calendly no longer accepts it.
            RateLimited: Calendly allows no request for tokens now.
            Unreachable: Calendly did not answer such a request, and it is too early for another.
        """
        login = await self._good(None)
        self._sent = login.connection.generation
        return login.access_token

    async def renew(self) -> bool:
        """After a 401: refresh once, and say whether there is a token worth one more try. Raises Unauthenticated."""
        if self._sent is None:
            return False
        try:
            await self._good(self._sent)
        except (RateLimited, Unreachable):
            return False
        return True

    async def finish(self) -> None:
        """Wait for a refresh under way: a process that left now would lose what Calendly answers."""
        if self._under_way is not None:
            await asyncio.wait([self._under_way])

    async def _good(self, refused: int | None) -> LocalLogin:
        is_read = False
        while True:
            step = self._decide(self._login, refused)
            if step is Step.USE and self._login is not None:
                return self._login
            if is_read and isinstance(step, GiveUp):
                raise explain(step, REMEDY)
            # A caller that is cancelled leaves the refresh to go on: Calendly's answer to it comes only once.
            await asyncio.shield(self._under_way or self._begin(refused))
            is_read = True

    def _decide(self, login: LocalLogin | None, refused: int | None) -> Step | GiveUp:
        return decide(login.connection if login else None, self.now(), refused=refused)

    def _begin(self, refused: int | None) -> asyncio.Task[None]:
        task = self._under_way = asyncio.create_task(self._renew(refused))

        def done(_: asyncio.Task[None]) -> None:
            self._under_way = None
            if not task.cancelled():
                task.exception()  # whoever waits gets it; it is no secret that nobody may wait any more

        task.add_done_callback(done)
        return task

    async def _renew(self, refused: int | None) -> None:
        """Read what is stored; refresh it if no other process has."""
        try:
            async with self.store.alone():
                stored = await self.store.read()
                login = self._own(stored)
                if login is not None and self._decide(login, refused) is Step.CLAIM:
                    login = await self._refreshed(login)
                self._login = login
                if login is not None and login is not stored:
                    await self._save(login)
        except LoginUnavailable as error:
            raise Unreachable(error.reason) from None
        except CalendlyLoginError as error:
            raise Unauthenticated(error.reason) from None

    def _own(self, stored: LocalLogin | None) -> LocalLogin | None:
        """Return what could not be stored before, while what is stored is still its predecessor."""
        own, self._unsaved = self._unsaved, None
        if own is None or stored is None or stored.connection.generation + 1 != own.connection.generation:
            return stored
        return own if stored.person.uri == own.person.uri else stored

    async def _save(self, login: LocalLogin) -> None:
        try:
            await self.store.write(login)
        except LoginUnavailable as error:
            # The one before it is spent. This process can go on, and tries again the next time.
            _log.error("the renewed login is not stored: %s", error)
            self._unsaved = login

    async def _refreshed(self, login: LocalLogin) -> LocalLogin:
        try:
            tokens = await self.upstream(login).refresh(login.refresh_token)
            if tokens.owner not in {None, login.person.uri}:
                raise IdentityUnproven("Calendly renewed the sign-in of one person with tokens of another.")
        except CalendlyLoginError as error:
            return replace(login, connection=failed(login.connection, error, self.now()))
        row = renewed(login.connection, tokens, self.now())
        return replace(login, connection=row, access_token=tokens.access_token, refresh_token=tokens.refresh_token)
