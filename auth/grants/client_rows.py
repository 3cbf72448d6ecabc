"""The statements behind `auth.grants.clients`."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Select, and_, delete, exists, func, literal, or_, select, update

from auth.grants.clients import Client
from auth.tables import client as table
from auth.tables import grant
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.rows import columns, find_one, values
from storage.types import Instant

NEVER_APPROVED_LIFE: Final = timedelta(days=30)
UNUSED_LIFE: Final = timedelta(days=90)
MOST_NEVER_APPROVED: Final = 50_000
"""The most clients that nobody approved. The oldest go first, so a flood neither fills the disk nor locks out."""

_SURPLUS: Final = 500


async def find(connection: DatabaseConnection, client_id: str) -> Client | None:
    """Find a client."""
    return await find_one(connection, Client, _query(client_id))


async def find_fresh(connection: DatabaseConnection, client_id: str, now: datetime) -> Client | None:
    """Find a client whose metadata document is still fresh."""
    return await find_one(connection, Client, _query(client_id).where(table.c.stale_at > now))


async def add(connection: DatabaseConnection, client: Client, now: datetime) -> None:
    """Store a new client."""
    await connection.execute(insert(connection, table).values(**values(client, table), created_at=now, used_at=now))


async def put_document(connection: DatabaseConnection, client: Client, now: datetime, stale_at: datetime) -> None:
    """Store what a metadata document says, in place of what it said before. Keeps the approval."""
    statement = insert(connection, table).values(
        **values(client, table), created_at=now, used_at=now, stale_at=stale_at
    )
    said = {name: statement.excluded[name] for name in ("name", "redirect_uris", "refreshes", "stale_at")}
    await connection.execute(statement.on_conflict_do_update(index_elements=[table.c.id], set_=said))


async def is_kept(connection: DatabaseConnection, client_id: str) -> bool:
    """Say whether a client exists, and lock its row until the transaction ends."""
    query = select(table.c.id).where(table.c.id == client_id).with_for_update(read=True)
    return await connection.scalar(query) is not None


async def mark_approved(connection: DatabaseConnection, client_id: str, now: datetime) -> bool:
    """Store that a person approved the client. False when it is gone."""
    approved_at = func.coalesce(table.c.approved_at, literal(now, Instant))
    statement = update(table).where(table.c.id == client_id).values(approved_at=approved_at, used_at=now)
    return (await connection.execute(statement)).rowcount == 1


async def mark_used(connection: DatabaseConnection, client_id: str, now: datetime) -> None:
    """Store that the client got a token."""
    await connection.execute(update(table).where(table.c.id == client_id).values(used_at=now))


async def drop_surplus(connection: DatabaseConnection) -> None:
    """Delete the oldest clients that nobody approved, if they are too many."""
    waiting = table.c.approved_at.is_(None)
    count = await connection.scalar(select(func.count()).select_from(table).where(waiting))
    if count is not None and count > MOST_NEVER_APPROVED:
        oldest = select(table.c.id).where(waiting).order_by(table.c.created_at).limit(_SURPLUS)
        await connection.execute(delete(table).where(table.c.id.in_(oldest)))


async def drop_unused(connection: DatabaseConnection, now: datetime) -> None:
    """Delete clients that nobody approved in time, and unused clients without a live grant."""
    never = and_(table.c.approved_at.is_(None), table.c.created_at < now - NEVER_APPROVED_LIFE)
    let_in = exists().where(grant.c.client == table.c.id, grant.c.ended_at.is_(None))
    unused = and_(table.c.used_at < now - UNUSED_LIFE, ~let_in)
    await connection.execute(delete(table).where(or_(never, unused)))


def _query(client_id: str) -> Select[Any]:
    return select(*columns(Client, table, approved=table.c.approved_at.is_not(None))).where(table.c.id == client_id)
