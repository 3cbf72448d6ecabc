"""The calls that wait for a person's answer on our own page. A row lives as long as the token of its call.

The address of the page ends in a handle that is derived from the token. So the token leads to the
row, but the handle does not lead to the token, with which an agent could go on.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update

from auth.protocol.secrets import digest
from auth.tables import client, grant
from auth.tables import pending_confirmation as table
from storage.connection import DatabaseConnection
from storage.rows import columns, find_one


@dataclass(frozen=True, slots=True)
class Pending:
    """A call that waits for an answer.

    Attributes:
        digest: Names the row.
        person: The user URI of the person who is asked.
        grant: The id of the agent's grant.
        agent: What the agent calls itself, None where it does not say.
        question_ciphertext: What the call would do, sealed.
        approved: The answer, None before there is one.
        is_taken: The agent came with its token, so an answer is too late.
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
    """Return the handle of a token: the last segment of its page's address."""
    return digest(f"confirm {token}")


async def add(
    connection: DatabaseConnection, row: str, grant_id: str, question_ciphertext: bytes, expires_at: datetime
) -> None:
    """Store a call that begins to wait."""
    values = {"digest": row, "grant": grant_id, "question_ciphertext": question_ciphertext, "expires_at": expires_at}
    await connection.execute(insert(table).values(values))


async def find(connection: DatabaseConnection, row: str, now: datetime) -> Pending | None:
    """Find a call that may still go on, of a grant that has not ended."""
    query = (
        select(
            *columns(Pending, table, person=grant.c.person, agent=client.c.name, is_taken=table.c.taken_at.is_not(None))
        )
        .select_from(table.join(grant).join(client))
        .where(table.c.digest == row, table.c.expires_at > now, grant.c.ended_at.is_(None))
    )
    return await find_one(connection, Pending, query)


async def decide(connection: DatabaseConnection, row: str, now: datetime, *, approved: bool) -> bool:
    """Store the answer of the person. False when there is one already, or it is too late."""
    undecided = (
        table.c.digest == row,
        table.c.decided_at.is_(None),
        table.c.taken_at.is_(None),
        table.c.expires_at > now,
    )
    statement = update(table).where(*undecided).values(decided_at=now, approved=approved)
    return (await connection.execute(statement)).rowcount == 1


async def take(connection: DatabaseConnection, row: str, now: datetime) -> bool | None:
    """Close the question, and return its answer, None if there is none."""
    statement = update(table).where(table.c.digest == row).values(taken_at=now).returning(table.c.approved)
    approved: bool | None = (await connection.execute(statement)).scalar_one_or_none()
    return approved
