"""The application that this server registered at Calendly itself: stored sealed, once for each redirect URI."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import delete, select

from auth.tables import upstream_registration
from auth.upstream.application import Application
from storage.database import Database, insert
from storage.keys import KeyRing
from storage.types import sealed_for

_TABLE: Final = upstream_registration
_SEALED: Final = _TABLE.c.application_ciphertext


@dataclass(eq=False)
class Registration:
    """Our application for one issuer and redirect URI: `auth.upstream.application.Applications`.

    Attributes:
        database: Where it is stored.
        keyring: Seals it.
        issuer: `CALENDLY_ISSUER`.
        redirect_uri: Where Calendly sends browsers back to.
        register: Registers a new one: `auth.upstream.registration.register` for these two.
        now: The wall clock.
    """

    database: Database
    keyring: KeyRing
    issuer: str
    redirect_uri: str
    register: Callable[[], Awaitable[Application]]
    now: Callable[[], datetime]
    _application: Application | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def current(self) -> Application:
        """Return the application, registered at the very first call. Raises CalendlyLoginError, StorageUnavailable."""
        async with self._turn:
            if self._application is None:
                self._application = await self._stored() or await self._made()
            return self._application

    async def disowned(self, application: Application) -> None:
        """Forget the application, so that the next call registers anew. Raises StorageUnavailable."""
        async with self._turn:
            if await self._stored() == application:
                async with self.database.begin() as connection:
                    await connection.execute(delete(_TABLE).where(_TABLE.c.redirect_uri == self.redirect_uri))
            self._application = None

    async def _stored(self) -> Application | None:
        query = select(_SEALED).where(_TABLE.c.redirect_uri == self.redirect_uri, _TABLE.c.issuer == self.issuer)
        async with self.database.read() as connection:
            sealed = (await connection.execute(query)).scalar_one_or_none()
        if sealed is None:
            return None
        opened = self.keyring.open(sealed, **sealed_for(_SEALED, self.redirect_uri))
        return TypeAdapter(Application).validate_json(opened)

    async def _made(self) -> Application:
        """Register, and return what was stored first: another process may have registered meanwhile."""
        application = await self.register()
        written = TypeAdapter(Application).dump_json(application)
        row = {
            "issuer": self.issuer,
            _SEALED.name: self.keyring.seal(written, **sealed_for(_SEALED, self.redirect_uri)),
            "created_at": self.now(),
        }
        async with self.database.begin() as connection:
            statement = insert(connection, _TABLE).values(redirect_uri=self.redirect_uri, **row)
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[_TABLE.c.redirect_uri], set_=row, where=_TABLE.c.issuer != self.issuer
                )
            )
        return await self._stored() or application
