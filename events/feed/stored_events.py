"""The statements behind the events of a feed."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, bindparam, delete, func, select, update

from events.feed.stored_feeds import StoredFeed
from events.kinds import MARKED, UNMARKED
from events.tables import event_address, feed_event
from storage.connection import DatabaseConnection
from storage.database import insert, insert_into
from storage.rows import columns, find_all, find_one, values

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

MOST_KEPT: Final = 10_000
"""How many payloads of a person are kept. Older ones go first."""

_BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An event of a feed.

    Attributes:
        id: Names the row.
        person: Whose feed it is in.
        position: Its place there, None while it waits for its other half.
        event_id: Its id for agents.
        kind: Its kind.
        half: Which half it is while it waits.
        filter: The uuid of the event type or routing form.
        invitee_digest: Finds it by its invitee.
        occurred_at: When it happened.
        stored_at: When it came.
        payload_ciphertext: What it says, sealed; None when that is gone.
        forgotten_at: When the invitee was taken out of it.
    """

    id: str
    person: str
    position: int | None
    event_id: str
    kind: str
    half: str | None
    filter: str | None
    invitee_digest: str | None
    occurred_at: datetime
    stored_at: datetime
    payload_ciphertext: bytes | None = field(repr=False)
    forgotten_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events of a feed are wanted.

    Attributes:
        kinds: Of these kinds.
        filter: Of this event type or routing form, None for any.
        count: At most so many.
    """

    kinds: Collection[str]
    filter: str | None = None
    count: int = 20


class EventRow(NamedTuple):
    """What is written of an event.

    Attributes:
        event: The event.
        addresses: The digests of its addresses.
        waits_until: When the wait for its other half is over.
        payload_until: How long it is kept what it says.
    """

    event: StoredEvent
    addresses: tuple[str, ...]
    waits_until: datetime | None
    payload_until: datetime


def row_id(person: str, event_id: str) -> str:
    """Name the row of an event."""
    return sha256(f"{person}\n{event_id}".encode()).hexdigest()


async def find(connection: DatabaseConnection, row: str) -> StoredEvent | None:
    """Find an event by its row."""
    return await find_one(connection, StoredEvent, _EVENT, row=row)


async def find_together(connection: DatabaseConnection, rows: Collection[str]) -> list[StoredEvent]:
    """Find events by their rows."""
    found = (await connection.execute(_THESE, {"rows": list(rows)})).mappings()
    return [StoredEvent(**row) for row in found]


async def published(connection: DatabaseConnection, rows: Collection[str]) -> set[str]:
    """Return which of these rows are events that were published."""
    query = select(feed_event.c.id).where(feed_event.c.id.in_(rows), feed_event.c.position.is_not(None))
    return set((await connection.execute(query)).scalars())


async def put(connection: DatabaseConnection, rows: Sequence[EventRow]) -> None:
    """Store events, each in the place of a half that waited, in a transaction that holds the feed."""
    written = [
        values(row.event, feed_event) | {"waits_until": row.waits_until, "payload_until": row.payload_until}
        for row in rows
    ]
    await connection.execute(_replacing(connection.dialect.name), written)
    await _address(connection, [(row.event.id, address) for row in rows for address in row.addresses])


async def supersede(connection: DatabaseConnection, row: str, by: str) -> None:
    """Delete an event that another one stands for, which is found by its addresses from then on."""
    addresses = select(event_address.c.address_digest).where(event_address.c.event == row)
    await _address(connection, [(by, address) for address in (await connection.execute(addresses)).scalars()])
    await connection.execute(delete(feed_event).where(feed_event.c.id == row))


async def _address(connection: DatabaseConnection, found_by: Iterable[tuple[str, str]]) -> None:
    """Have events, named by their rows, found by digests of addresses."""
    rows = [
        {"id": sha256(f"{row}\n{address}".encode()).hexdigest(), "event": row, "address_digest": address}
        for row, address in sorted(found_by)
    ]
    if rows:
        await connection.execute(insert(connection, event_address).on_conflict_do_nothing(), rows)


async def oldest(connection: DatabaseConnection, person: str) -> int | None:
    """Return the first position of a feed whose payload is kept, None where none is."""
    kept = select(func.min(feed_event.c.position)).where(_is_kept(person))
    found: int | None = await connection.scalar(kept)
    return found


async def stored_at(connection: DatabaseConnection, person: str, position: int) -> datetime | None:
    """Return when the event at a position of a feed came, None before the first."""
    query = select(feed_event.c.stored_at).where(feed_event.c.person == person, feed_event.c.position == position)
    found: datetime | None = await connection.scalar(query)
    return found


async def after(connection: DatabaseConnection, found: StoredFeed, position: int, wanted: Wanted) -> list[StoredEvent]:
    """Find the first wanted events after a position, one more than `wanted.count` where there are more."""
    query = _wanted(found, wanted).where(feed_event.c.position > position).order_by(feed_event.c.position)
    return await find_all(connection, StoredEvent, query.limit(wanted.count + 1))


async def newest(connection: DatabaseConnection, found: StoredFeed, wanted: Wanted) -> list[StoredEvent]:
    """Find the last wanted events, oldest first."""
    query = _wanted(found, wanted).order_by(feed_event.c.position.desc()).limit(wanted.count)
    return (await find_all(connection, StoredEvent, query))[::-1]


async def marks(connection: DatabaseConnection, person: str, invitees: Collection[str]) -> list[StoredEvent]:
    """Find the no-show marks of invitees and their ends, of which those without position wait for their mark.

    Args:
        connection: Reads.
        person: Whose feed.
        invitees: The digests of the invitees.
    """
    query = _events().where(
        feed_event.c.person == person,
        feed_event.c.invitee_digest.in_(invitees),
        feed_event.c.kind.in_((MARKED, UNMARKED)),
    )
    return await find_all(connection, StoredEvent, query.order_by(feed_event.c.occurred_at))


async def overdue(
    connection: DatabaseConnection, now: datetime, limit: int, person: str | None = None
) -> list[StoredEvent]:
    """Find halves whose wait is over, of one person or of all."""
    query = _events().where(feed_event.c.waits_until <= now)
    if person is not None:
        query = query.where(feed_event.c.person == person)
    return await find_all(connection, StoredEvent, query.order_by(feed_event.c.waits_until).limit(limit))


async def wait_on(connection: DatabaseConnection, row: str, until: datetime) -> None:
    """Let a half wait longer."""
    await connection.execute(
        update(feed_event)
        .where(feed_event.c.id == row, feed_event.c.waits_until.is_not(None))
        .values(waits_until=until)
    )


async def with_addresses(connection: DatabaseConnection, person: str, addresses: Collection[str]) -> list[StoredEvent]:
    """Find the events with one of these addresses, given as digests."""
    having = select(event_address.c.event).where(event_address.c.address_digest.in_(addresses))
    query = _events().where(feed_event.c.person == person, feed_event.c.id.in_(having))
    return await find_all(connection, StoredEvent, query)


async def forget(connection: DatabaseConnection, row: str, payload: bytes, now: datetime) -> None:
    """Store what an event says without its invitee."""
    await connection.execute(
        update(feed_event).where(feed_event.c.id == row).values(payload_ciphertext=payload, forgotten_at=now)
    )
    await connection.execute(delete(event_address).where(event_address.c.event == row))


async def drop_payloads(connection: DatabaseConnection, person: str, after: int, last: int) -> None:
    """Drop what the events after a position say, up to the last one."""
    at = (feed_event.c.person == person, feed_event.c.position > after, feed_event.c.position <= last)
    rows = (await connection.execute(select(feed_event.c.id).where(*at))).scalars().all()
    await _drop_payloads(connection, rows)


async def drop_old_payloads(connection: DatabaseConnection, now: datetime) -> bool:
    """Drop what events say that are older than that is kept, one batch; whether there may be more."""
    query = select(feed_event.c.id).where(feed_event.c.payload_until <= now).limit(_BATCH)
    rows = (await connection.execute(query.with_for_update(skip_locked=True))).scalars().all()
    await _drop_payloads(connection, rows)
    return len(rows) == _BATCH


async def _drop_payloads(connection: DatabaseConnection, rows: Collection[str]) -> None:
    if rows:
        await connection.execute(
            update(feed_event).where(feed_event.c.id.in_(rows)).values(payload_ciphertext=None, payload_until=None)
        )
        await connection.execute(delete(event_address).where(event_address.c.event.in_(rows)))


def _events() -> Select[*tuple[Any, ...]]:
    return select(*columns(StoredEvent, feed_event))


@cache
def _replacing(dialect: str) -> "postgresql.Insert | sqlite.Insert":
    statement = insert_into(dialect, feed_event)
    return statement.on_conflict_do_update(
        index_elements=[feed_event.c.id], set_={column.key: column for column in statement.excluded}
    )


_EVENT: Final = _events().where(feed_event.c.id == bindparam("row"))
_THESE: Final = _events().where(feed_event.c.id.in_(bindparam("rows", expanding=True)))


def _wanted(found: StoredFeed, wanted: Wanted) -> Select[*tuple[Any, ...]]:
    # Up to the head that was read before: an event that is published meanwhile comes after the cursor.
    query = _events().where(
        _is_kept(found.person), feed_event.c.position <= found.head, feed_event.c.kind.in_(wanted.kinds)
    )
    return query if wanted.filter is None else query.where(feed_event.c.filter == wanted.filter)


def _is_kept(person: str) -> ColumnElement[bool]:
    return (
        (feed_event.c.person == person)
        & feed_event.c.position.is_not(None)
        & feed_event.c.payload_ciphertext.is_not(None)
    )
