"""The calls that wait for a person's yes on our own page: rows that live for as long as the token of the call.

The address of the page ends in a handle that follows from the token, so whoever brings the token finds the row; from
the handle nobody finds the token, with which an agent could go on.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.protocol.secrets import digest
from auth.tables import client, grant
from auth.tables import pending_confirmation as table
from storage.rows import columns, find_one


@dataclass(frozen=True, slots=True)
class Pending:
    """One call that waits.

    Attributes:
        digest: Names the row.
        person: Whose call it is, a user URI.
        grant: The agent's.
        agent: What the agent calls itself, None where it does not say.
        question_ciphertext: What the call would do.
        approved: What the person said, None before.
        is_taken: The agent came with its token, and no answer is taken any more.
    """

    digest: str
    person: str
    grant: str
    agent: str | None
    question_ciphertext: bytes = field(repr=False)
    expires_at: datetime
    approved: bool | None
    is_taken: bool


def handle_of(token: str) -> str:
    """Return what the address of the page for a token's call ends in."""
    return digest(f"confirm {token}")


async def add(
    connection: AsyncConnection, row: str, grant_id: str, question_ciphertext: bytes, expires_at: datetime
) -> None:
    """Store a call that begins to wait."""
    values = {"digest": row, "grant": grant_id, "question_ciphertext": question_ciphertext, "expires_at": expires_at}
    await connection.execute(insert(table).values(values))


async def find(connection: AsyncConnection, row: str, now: datetime) -> Pending | None:
    """Find a call that may still go on, of a grant that has not ended."""
    query = (
        select(
            *columns(Pending, table, person=grant.c.person, agent=client.c.name, is_taken=table.c.taken_at.is_not(None))
        )
        .select_from(table.join(grant).join(client))
        .where(table.c.digest == row, table.c.expires_at > now, grant.c.ended_at.is_(None))
    )
    return await find_one(connection, Pending, query)


async def decide(connection: AsyncConnection, row: str, now: datetime, *, approved: bool) -> bool:
    """Note what the person said. False when something was said before, or it is too late."""
    undecided = (
        table.c.digest == row,
        table.c.decided_at.is_(None),
        table.c.taken_at.is_(None),
        table.c.expires_at > now,
    )
    statement = update(table).where(*undecided).values(decided_at=now, approved=approved)
    return (await connection.execute(statement)).rowcount == 1


async def take(connection: AsyncConnection, row: str, now: datetime) -> bool | None:
    """Take no answer any more, and return the one that there is: what the call then goes by is final."""
    statement = update(table).where(table.c.digest == row).values(taken_at=now).returning(table.c.approved)
    approved: bool | None = (await connection.execute(statement)).scalar_one_or_none()
    return approved
