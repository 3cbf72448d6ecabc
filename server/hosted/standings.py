"""What grants may see of events, read anew for each delivery; and the audit log of those."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from auth.audit.log import AuditLog, AuditLogUnavailable, AuditNote
from auth.grants.bearer import Bearer
from auth.grants.bearer_rows import find_living
from auth.upstream.connection import Status
from events.outgoing.standing import EventNote, EventStanding, NotNoted
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
        bearer = await find_living(self.database, self.keyring, grant, self.now())
        if bearer is None:
            return None
        standing = standing_of(self.known_as(bearer), kind)
        status = bearer.connection.connection.status if bearer.connection else Status.REVOKED
        if status is Status.REVOKED:
            return replace(standing, refusal=standing.refusal or "connection")
        return replace(standing, waits=status is Status.NEEDS_REAUTH)


@dataclass(frozen=True, slots=True)
class EventNotes:
    """Writes entries about events: `events.outgoing.standing.Noted`.

    Attributes:
        audit_log: Where they go.
    """

    audit_log: AuditLog

    async def keep(self, note: EventNote) -> None:
        """Store an entry before returning. Raises NotNoted."""
        try:
            await self.audit_log.keep_note(_written(note))
        except AuditLogUnavailable as fault:
            raise NotNoted(str(fault)) from fault

    async def note(self, note: EventNote) -> None:
        """Store an entry, later where that fails now."""
        await self.audit_log.note(_written(note))


def _written(note: EventNote) -> AuditNote:
    return AuditNote(
        action=note.action,
        told=note.told,
        person=note.person,
        agent=note.agent,
        grant=note.grant,
        decision="refused" if note.is_refused else "allowed",
        source="operator" if note.by_operator else None,
        transport="command" if note.by_operator else "http",
    )
