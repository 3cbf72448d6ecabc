"""The statements behind `auth.access.restrictions`."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, select

from auth.access.levels import Access
from auth.access.restrictions import Known
from auth.tables import agent_restriction as table
from storage.connection import DatabaseConnection
from storage.database import insert


async def recall(connection: DatabaseConnection, known: Known) -> Access:
    """Return the restrictions that are remembered for an agent."""
    access: Access | None = await connection.scalar(select(table.c.access).where(_of(known)))
    return access or {}


async def put(connection: DatabaseConnection, known: Known, access: Access, now: datetime) -> None:
    """Remember restrictions for an agent, in place of earlier ones."""
    if not access:
        await connection.execute(delete(table).where(_of(known)))
        return
    changed = {"access": access, "changed_at": now}
    statement = insert(connection, table).values(
        person=known.person, name=known.name or "", place=known.place, **changed
    )
    key = [table.c.person, table.c.name, table.c.place]
    await connection.execute(statement.on_conflict_do_update(index_elements=key, set_=changed))


async def forget(connection: DatabaseConnection, person: str) -> None:
    """Forget all restrictions of a person."""
    await connection.execute(delete(table).where(table.c.person == person))


def _of(known: Known) -> ColumnElement[bool]:
    return and_(table.c.person == known.person, table.c.name == (known.name or ""), table.c.place == known.place)
