"""The idempotency keys of bookings, each a row for 24 hours; whoever adds it has the key.

A row outlives its process: what became of the booking is sealed in it, and so is what was asked for, since whoever can
read the database might guess an invitee's address from a digest of it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.tables import booking_key as table
from auth.tables import grant, user
from storage.database import insert


@dataclass(frozen=True, slots=True)
class Key:
    """A key that is being taken.

    Attributes:
        digest: Names the row.
        grant_id: What the person allowed the agent; None on a person's own machine.
        outcome_ciphertext: What was asked for.
        expires_at: When it is nobody's any more.
    """

    digest: str
    grant_id: str | None
    outcome_ciphertext: bytes = field(repr=False)
    expires_at: datetime


def outcome_place(row: str) -> dict[str, str]:
    """Name the place that an outcome is sealed for."""
    return {"table": table.name, "row": row, "column": table.c.outcome_ciphertext.name}


async def find(connection: AsyncConnection, row: str, now: datetime) -> bytes | None:
    """Return the sealed outcome of a key that is in use, None for any other."""
    query = select(table.c.outcome_ciphertext).where(table.c.digest == row, table.c.expires_at > now)
    found: bytes | None = (await connection.execute(query)).scalar_one_or_none()
    return found


async def take(connection: AsyncConnection, key: Key, now: datetime) -> bytes | None:
    """Take a key: None for whoever has it now, else the sealed outcome of whoever had it before."""
    statement = insert(connection, table).values(**asdict(key)).on_conflict_do_nothing()
    await connection.execute(delete(table).where(table.c.digest == key.digest, table.c.expires_at <= now))
    while (await connection.execute(statement)).rowcount == 0:
        earlier = await find(connection, key.digest, now)
        if earlier is not None:
            return earlier
    return None


async def settle(connection: AsyncConnection, row: str, outcome: bytes) -> None:
    """Store what became of a booking, unless its key was given back meanwhile."""
    await connection.execute(update(table).where(table.c.digest == row).values(outcome_ciphertext=outcome))


async def outcomes(connection: AsyncConnection, grant_id: str | None) -> Sequence[tuple[str, bytes]]:
    """Return the keys of an organization with what became of each; without a grant all there are.

    Args:
        connection: Where they are.
        grant_id: A grant of somebody in that organization.
    """
    every = select(table.c.digest, table.c.outcome_ciphertext)
    if grant_id is None:
        return [(row, outcome) for row, outcome in await connection.execute(every)]
    own = select(user.c.uri, user.c.organization).select_from(grant.join(user)).where(grant.c.id == grant_id).subquery()
    colleagues = or_(user.c.uri == own.c.uri, user.c.organization == own.c.organization)
    query = every.select_from(table.join(grant).join(user).join(own, colleagues))
    return [(row, outcome) for row, outcome in await connection.execute(query)]


async def give_back(connection: AsyncConnection, row: str) -> None:
    """Let a key be taken again: nothing was booked."""
    await connection.execute(delete(table).where(table.c.digest == row))
