"""The confirmations that were used, until they would have ended by themselves: each is good for one call."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.tables import spent_confirmation as table
from storage.database import insert


async def spend(connection: AsyncConnection, digest: str, expires_at: datetime) -> bool:
    """Note that a confirmation is used. False when it was before."""
    statement = insert(connection, table).values(digest=digest, expires_at=expires_at).on_conflict_do_nothing()
    return (await connection.execute(statement)).rowcount == 1
