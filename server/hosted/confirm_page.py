"""The calls of one agent that wait for its person's answer on our page: `server.calls.confirm.ConfirmPage`."""

import json
from dataclasses import dataclass
from typing import Final

from auth.endpoints.site import Site
from auth.pages import pending_rows
from auth.pages.confirm import PATH
from auth.pages.pending_rows import Pending, handle_of
from auth.protocol.secrets import digest
from auth.tables import pending_confirmation
from server.stores.faults import required
from server.stores.proof import LIFETIME
from storage.types import sealed_for
from tools.toolset.question import Question

_UNREAD: Final = "What the user answered could not be read"


@dataclass(frozen=True, slots=True)
class AgentsPage:
    """The pages of the calls of one agent.

    Attributes:
        site: What they share with all other pages.
        grant: What the person allowed the agent.
    """

    site: Site
    grant: str

    async def open(self, token: str, question: Question) -> str:
        """Have the call of a token wait for the person's answer; the address of the page. Raises Unreachable."""
        site, row = self.site, digest(handle_of(token))
        text = json.dumps(question.fields()).encode()
        sealed = site.keyring.seal(text, **sealed_for(pending_confirmation.c.question_ciphertext, row))
        expires_at = site.now() + LIFETIME
        async with required("The question for the user could not be stored"), site.database.begin() as connection:
            await pending_rows.add(connection, row, self.grant, sealed, expires_at)
        return self._address(token)

    async def address(self, token: str) -> str | None:
        """Return the address of the page of a token's call, None when it does not wait any more. Raises Unreachable."""
        return None if await self._find(token) is None else self._address(token)

    async def answer(self, token: str) -> bool | None:
        """Return the person's answer, None if there is none yet. Raises Unreachable."""
        pending = await self._find(token)
        return pending.approved if pending else None

    async def take(self, token: str) -> bool | None:
        """Return the person's answer, None if there is none, and accept none from then on. Raises Unreachable."""
        async with required(_UNREAD), self.site.database.begin() as connection:
            return await pending_rows.take(connection, digest(handle_of(token)), self.site.now())

    def _address(self, token: str) -> str:
        return f"{self.site.issuer}{PATH}/{handle_of(token)}"

    async def _find(self, token: str) -> Pending | None:
        async with required(_UNREAD), self.site.database.read() as connection:
            pending = await pending_rows.find(connection, digest(handle_of(token)), self.site.now())
        return pending if pending and pending.grant == self.grant else None
