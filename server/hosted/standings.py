"""What grants may see of events, read anew for each delivery and each notice."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from auth.grants.bearer import Bearer
from auth.grants.bearer_rows import find_living
from auth.upstream.connection import Status
from events.outgoing.standing import EventStanding
from server.calls.principal import Principal
from server.event_methods.methods import standing_of
from storage.database import Database
from storage.keys import KeyRing


@dataclass(frozen=True, slots=True)
class GrantStandings:
    """Tells what grants may see: `events.outgoing.standing.EventStandings`.

    Attributes:
        database: Where grants are.
        keyring: What connections are sealed under.
        known_as: Returns for whom a token speaks, as calls know it.
        now: The present.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    known_as: Callable[[Bearer], Principal]
    now: Callable[[], datetime]

    async def of(self, grant: str, kind: str) -> EventStanding | None:
        """Return what a grant may see of a kind, None when the grant is over. Raises StorageUnavailable."""
        bearer = await self._bearer(grant)
        if bearer is None:
            return None
        standing, status = standing_of(self.known_as(bearer), kind), _status(bearer)
        if status is Status.REVOKED:
            return replace(standing, refusal=standing.refusal or "connection")
        return replace(standing, waits=status is Status.NEEDS_REAUTH)

    async def principal(self, grant: str) -> Principal | None:
        """Return for whom a grant speaks; None when it, or the person's connection, is over. StorageUnavailable."""
        bearer = await self._bearer(grant)
        return None if bearer is None or _status(bearer) is Status.REVOKED else self.known_as(bearer)

    async def _bearer(self, grant: str) -> Bearer | None:
        return await find_living(self.database, self.keyring, grant, self.now())


def _status(bearer: Bearer) -> Status:
    return bearer.connection.connection.status if bearer.connection else Status.REVOKED
