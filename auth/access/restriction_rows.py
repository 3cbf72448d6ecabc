"""The statements behind `auth.access.restrictions`."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.access.levels import Access
from auth.access.restrictions import Known
from auth.access.text import read_access, spell_access
from auth.tables import agent_restriction as table
from storage.database import insert


async def recall(connection: AsyncConnection, known: Known) -> Access:
    """Return what a person did not want an agent to do."""
    query = select(table.c.access).where(_of(known))
    return read_access(await connection.scalar(query) or "")


async def put(connection: AsyncConnection, known: Known, access: Access, now: datetime) -> None:
    """Remember it, in place of what was remembered."""
    if not access:
        await connection.execute(delete(table).where(_of(known)))
        return
    changed = {"access": spell_access(access), "changed_at": now}
    statement = insert(connection, table).values(
        user_uri=known.person, name=known.name or "", host=known.place, **changed
    )
    key = [table.c.user_uri, table.c.name, table.c.host]
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


async def forget(connection: AsyncConnection, person: str) -> None:
    """Forget everything that a person wanted remembered."""
    await connection.execute(delete(table).where(table.c.user_uri == person))


def _of(known: Known) -> ColumnElement[bool]:
    return and_(table.c.user_uri == known.person, table.c.name == (known.name or ""), table.c.host == known.place)
