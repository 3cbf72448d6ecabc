"""The statements behind looks: what was seen of each meeting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from events.tables import seen_event
from storage.database import insert
from storage.rows import columns, find_all, values


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMeeting:
    """What was seen of a meeting.

    Attributes:
        id: Names the row.
        person: Whose feed.
        fingerprint: What changes when its invitees do.
        ends_at: When the meeting ends.
        looked_at: When its invitees were read.
    """

    id: str
    person: str
    fingerprint: str
    ends_at: datetime
    looked_at: datetime


def seen_id(person: str, meeting: str) -> str:
    """Name the row of a meeting, given its URI."""
    return sha256(f"{person}\n{meeting}".encode()).hexdigest()


async def find(connection: AsyncConnection, rows: Collection[str]) -> dict[str, SeenMeeting]:
    """Find what was seen of meetings, by their rows."""
    query = select(*columns(SeenMeeting, seen_event)).where(seen_event.c.id.in_(rows))
    return {row.id: row for row in await find_all(connection, SeenMeeting, query)}


async def note(connection: AsyncConnection, seen: Sequence[SeenMeeting]) -> None:
    """Store what was seen."""
    for meeting in seen:
        row = values(meeting, seen_event)
        statement = insert(connection, seen_event).values(row)
        await connection.execute(statement.on_conflict_do_update(index_elements=[seen_event.c.id], set_=row))
