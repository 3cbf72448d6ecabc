"""The calls of one agent that wait for its person's answer on our page: `server.calls.confirm.ConfirmPage`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.endpoints.site import Realm
from auth.pages import pending_rows
from auth.pages.confirm import PATH
from auth.pages.pending_rows import Pending, handle_of
from auth.protocol.secrets import digest
from auth.tables import pending_confirmation
from calendly.errors import Unreachable
from server.stores.seal import LIFETIME
from storage.errors import StorageUnavailable
from storage.types import sealed_for

_UNREAD: Final = "What the user answered could not be read, so nothing was sent."


@dataclass(frozen=True, slots=True)
class AgentsPage:
    """The pages of the calls of one agent.

    Attributes:
        realm: What they share with all other pages.
        grant: What the person allowed the agent.
    """

    realm: Realm
    grant: str

    async def open(self, token: str, question: str) -> str:
        """Have the call of a token wait for the person's answer; the address of the page. Raises Unreachable."""
        realm, row = self.realm, digest(handle_of(token))
        sealed = realm.keyring.seal(question.encode(), **sealed_for(pending_confirmation.c.question_ciphertext, row))
        expires_at = realm.now() + timedelta(seconds=LIFETIME)
        try:
            async with realm.database.begin() as connection:
                await pending_rows.add(connection, row, self.grant, sealed, expires_at)
        except StorageUnavailable:
            raise Unreachable("The question for the user could not be stored, so nothing was sent.") from None
        return self._address(token)

    async def address(self, token: str) -> str | None:
        """Return the address of the page of a token's call, None when it does not wait any more. Raises Unreachable."""
        return None if await self._find(token) is None else self._address(token)

    async def answer(self, token: str) -> bool | None:
        """Return what the person said, None when nothing yet. Raises Unreachable."""
        pending = await self._find(token)
        return pending.approved if pending else None

    async def take(self, token: str) -> bool | None:
        """Return what the person said, None when nothing; nothing can be said from then on. Raises Unreachable."""
        try:
            async with self.realm.database.begin() as connection:
                return await pending_rows.take(connection, digest(handle_of(token)), self.realm.now())
        except StorageUnavailable:
            raise Unreachable(_UNREAD) from None

    def _address(self, token: str) -> str:
        return f"{self.realm.issuer}{PATH}/{handle_of(token)}"

    async def _find(self, token: str) -> Pending | None:
        async with self._reading() as connection:
            pending = await pending_rows.find(connection, digest(handle_of(token)), self.realm.now())
        return pending if pending and pending.grant == self.grant else None

    @asynccontextmanager
    async def _reading(self) -> AsyncGenerator[AsyncConnection]:
        try:
            async with self.realm.database.read() as connection:
                yield connection
        except StorageUnavailable:
            raise Unreachable(_UNREAD) from None
