"""The statements behind looks: what was seen of each meeting."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import and_, exists, func, or_, select

from events.kinds import MARKED, UNMARKED
from events.tables import event_subscription, feed, feed_event, receiver, seen_event
from storage.connection import DatabaseConnection
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


async def find(connection: DatabaseConnection, rows: Collection[str]) -> dict[str, SeenMeeting]:
    """Find what was seen of meetings, by their rows."""
    query = select(*columns(SeenMeeting, seen_event)).where(seen_event.c.id.in_(rows))
    return {row.id: row for row in await find_all(connection, SeenMeeting, query)}


async def note(connection: DatabaseConnection, seen: Sequence[SeenMeeting]) -> None:
    """Store what was seen."""
    for meeting in seen:
        row = values(meeting, seen_event)
        statement = insert(connection, seen_event).values(row)
        await connection.execute(statement.on_conflict_do_update(index_elements=[seen_event.c.id], set_=row))


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLook:
    """A person who is to be looked at in the background.

    Attributes:
        person: Who.
        is_listened: An agent of theirs wants to be told, by a subscription or while it listens.
        wants_no_shows: One wants to be told of no-shows.
        last_news_at: When the feed got its last event.
    """

    person: str
    is_listened: bool
    wants_no_shows: bool
    last_news_at: datetime | None


async def due(connection: DatabaseConnection, now: datetime, limit: int) -> list[DueLook]:
    """Find the people who are due, the longest due first: whoever is listened to or has a webhook."""
    table = event_subscription
    ends_later = or_(table.c.expires_at.is_(None), table.c.expires_at > now)
    live = exists().where(table.c.person == feed.c.person, table.c.state == "active", ends_later)
    open_now = and_(feed.c.listened_until.is_not(None), feed.c.listened_until > now)
    no_shows = or_(open_now, live.where(table.c.name.in_((MARKED, UNMARKED))))
    listened = or_(open_now, live)
    webhook = exists().where(receiver.c.person == feed.c.person, receiver.c.state == "live")
    news = select(func.max(feed_event.c.stored_at)).where(feed_event.c.person == feed.c.person).scalar_subquery()
    is_due = or_(feed.c.looks_next_at.is_(None), feed.c.looks_next_at <= now)
    query = (
        select(
            *columns(DueLook, feed),
            listened.label("is_listened"),
            no_shows.label("wants_no_shows"),
            news.label("last_news_at"),
        )
        .where(is_due, or_(listened, webhook))
        .order_by(feed.c.looks_next_at.nulls_first())
        .limit(limit)
    )
    return await find_all(connection, DueLook, query)
