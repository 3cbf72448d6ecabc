"""The statements behind the codes of `auth.grants.rules`."""

from datetime import datetime

from sqlalchemy import insert, select, update

from auth.grants.rules import Code
from auth.tables import code as table
from auth.tables import grant
from storage.connection import DatabaseConnection
from storage.rows import columns, find_one, values


async def add(connection: DatabaseConnection, digest: str, code: Code) -> None:
    """Store a new code."""
    await connection.execute(insert(table).values(digest=digest, **values(code, table)))


async def find(connection: DatabaseConnection, digest: str) -> Code | None:
    """Find a code."""
    query = select(*columns(Code, table, grant_ended=grant.c.ended_at.is_not(None))).select_from(table.join(grant))
    return await find_one(connection, Code, query.where(table.c.digest == digest))


async def use(connection: DatabaseConnection, digest: str, now: datetime) -> bool:
    """Mark a code as used. Of several attempts, one returns True."""
    unused = table.c.used_at.is_(None)
    result = await connection.execute(update(table).where(table.c.digest == digest, unused).values(used_at=now))
    return result.rowcount == 1
