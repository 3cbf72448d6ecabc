"""Entries of the audit log about agents that want to know of events: `events.outgoing.standing.Noted`."""

from dataclasses import dataclass

from auth.audit.log import AuditLog, AuditLogUnavailable, AuditNote
from events.outgoing.standing import EventAction, EventNote, NotNoted
from server.calls.principal import Principal


@dataclass(frozen=True, slots=True)
class EventNotes:
    """Writes them.

    Attributes:
        audit_log: Where they go.
        transport: Where they come from: `http` or `stdio`.
    """

    audit_log: AuditLog
    transport: str = "http"

    async def keep(self, note: EventNote) -> None:
        """Store an entry before returning. Raises NotNoted."""
        try:
            await self.audit_log.keep_note(self._written(note))
        except AuditLogUnavailable as fault:
            raise NotNoted(str(fault)) from fault

    async def note(self, note: EventNote) -> None:
        """Store an entry, later where that fails now."""
        await self.audit_log.note(self._written(note))

    def jot(self, note: EventNote) -> None:
        """Queue an entry that nobody waits for."""
        self.audit_log.jot(self._written(note))

    def _written(self, note: EventNote) -> AuditNote:
        return AuditNote(
            action=note.action,
            told=note.told,
            person=note.person,
            agent=note.agent,
            grant=note.grant,
            decision="refused" if note.is_refused else "allowed",
            source="operator" if note.by_operator else None,
            transport="command" if note.by_operator else self.transport,
        )


def notes_of(audit_log: AuditLog, principal: Principal) -> EventNotes:
    """Return what writes entries about an agent."""
    return EventNotes(audit_log, "stdio" if principal.agent.grant is None else "http")


def entry(action: EventAction, told: str, principal: Principal, *, is_refused: bool = False) -> EventNote:
    """Return an entry about what an agent asked for.

    Args:
        action: What was done.
        told: The sentence, with `{person}` and `{agent}` for their names.
        principal: The agent and its person.
        is_refused: It was refused.
    """
    return EventNote(
        action=action,
        told=told,
        person=principal.person,
        agent=principal.agent.name,
        grant=principal.agent.grant,
        is_refused=is_refused,
    )
