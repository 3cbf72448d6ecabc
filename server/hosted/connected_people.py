"""Calendly, asked on behalf of people while no agent calls: for their webhook subscriptions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from auth.grants import grant_rows
from auth.upstream.connections import Connections
from calendly.client import Calendly
from calendly.request import JSON, Account, PersonalToken, Request
from server.calls.identities import ME, user_in
from storage.database import Database

_AGENT: Final = "webhooks"
"""The name under which these requests wait for their turn, beside those of agents."""

_PATIENCE: Final = 20.0
"""How long a request may take, in seconds."""


@dataclass(frozen=True, slots=True)
class ConnectedPeople:
    """See `events.incoming.webhooks.CalendlyOfPeople`.

    Args:
        calendly: Gives the HTTP core.
        connections: The tokens of people.
        database: Where people are.
        clock: Seconds that only grow.
    """

    calendly: Callable[[], Calendly]
    connections: Connections
    database: Database
    clock: Callable[[], float]

    async def send(self, person: str, request: Request, *, token: str | None = None) -> JSON:
        """Send a request with a person's connection, or with a token that was taken from it. Raises CalendlyError."""
        credentials = self.connections.refresher.credentials(person) if token is None else PersonalToken(token)
        account = Account(person, _AGENT, credentials)
        return await self.calendly().send(request, account, deadline=self.clock() + _PATIENCE)

    async def organization(self, person: str) -> str:
        """Return the URI of a person's organization. Raises CalendlyError."""
        async with self.database.read() as connection:
            known = await grant_rows.find_organization(connection, person)
        return known or user_in(await self.send(person, ME)).get("current_organization") or ""

    async def signed_in_at(self, person: str) -> datetime | None:
        """Return when a person last signed in at Calendly, None where the connection was refreshed since."""
        stored = await self.connections.read(person)
        if stored is None or stored.connection.refreshed_at is not None:
            return None
        return stored.connection.issued_at
