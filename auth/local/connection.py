"""The login of this machine as a connection whose tokens are refreshed.

Several programs of one person share the login, each with a server of its own. Whoever finds the token near its end
refreshes it under the lock; the others find it refreshed.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final

from auth.local.login_store import LocalLogin, LoginStore
from auth.upstream.connection import Status
from auth.upstream.login import LoginUnavailable, Upstream
from auth.upstream.refresher import Held, Refreshed
from calendly.errors import Unauthenticated

_log: Final = logging.getLogger(__name__)

REMEDY: Final = "Run `calendly-mcp login`."


@dataclass(eq=False)
class LocalConnection:
    """The stored login: `auth.upstream.refresher.Kept`. It is read again only when there is something wrong with it.

    Attributes:
        store: Where the login is kept.
        upstream: Gives Calendly's authorization server for a login.
    """

    store: LoginStore
    upstream: Callable[[LocalLogin], Upstream]
    _known: LocalLogin | None = field(default=None, init=False, repr=False)
    _spent: str | None = field(default=None, init=False, repr=False)  # the refresh token that the store still has

    async def read(self, user: str) -> LocalLogin | None:
        """Return the login, None when nobody is signed in.

        Raises:
            CalendlyLoginError: It cannot be read.
            Unauthenticated: It is somebody else's: a server never goes on for another person.
        """
        login = self._known
        if login is None or login.connection.failure or login.connection.status is not Status.ACTIVE:
            login = await self._look()
        if login is not None and login.person.uri != user:
            raise Unauthenticated("Somebody else has signed in on this machine meanwhile: restart this server.")
        return login

    async def refresh(self, seen: Held, ask: Callable[[Upstream], Awaitable[Refreshed]]) -> bool:
        """Refresh under the lock, unless another program was quicker. Raises LoginUnavailable without the lock."""
        async with self.store.alone():
            login = await self._look()
            if login is None or login != seen:
                return False
            connection, tokens = await ask(self.upstream(login))
            after = replace(login, connection=connection)
            if tokens is not None:
                after = replace(after, access_token=tokens.access_token, refresh_token=tokens.refresh_token)
            await self._save(after, in_place_of=login)
        return True

    async def _look(self) -> LocalLogin | None:
        """Read what is stored; what could not be stored in its place is newer."""
        stored = await self.store.read()
        if stored is None or stored.refresh_token != self._spent:
            self._known, self._spent = stored, None
        return self._known

    async def _save(self, login: LocalLogin, *, in_place_of: LocalLogin) -> None:
        try:
            await self.store.write(login)
            self._spent = None
        except LoginUnavailable as error:
            # This program goes on with what it has, and stores it with the next refresh.
            _log.error("the refreshed login is not stored: %s", error)
            self._spent = self._spent or in_place_of.refresh_token
        self._known = login
