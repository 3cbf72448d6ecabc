"""The statements behind `auth.grants.transactions`."""

from datetime import datetime
from typing import Final

from sqlalchemy import insert, select, update

from auth.grants.transactions import Transaction
from auth.tables import authorization_transaction as table
from storage.connection import DatabaseConnection
from storage.rows import columns, find_one, values

_ALL: Final = select(*columns(Transaction, table))


async def add(connection: DatabaseConnection, transaction: Transaction) -> None:
    """Store a sign-in that begins."""
    await connection.execute(insert(table).values(values(transaction, table)))


async def by_form(connection: DatabaseConnection, digest: str) -> Transaction | None:
    """Find a sign-in by the digest of the secret in its consent form."""
    return await find_one(connection, Transaction, _ALL.where(table.c.digest == digest))


async def by_state(connection: DatabaseConnection, digest: str) -> Transaction | None:
    """Find a sign-in by the digest of the state that was sent to Calendly."""
    return await find_one(connection, Transaction, _ALL.where(table.c.state_digest == digest))


async def approve(connection: DatabaseConnection, approved: Transaction) -> bool:
    """Store an approved sign-in, in place of an earlier approval. False when the sign-in ended meanwhile."""
    statement = update(table).where(table.c.digest == approved.digest, table.c.ended_at.is_(None))
    return (await connection.execute(statement.values(values(approved, table)))).rowcount == 1


async def end(connection: DatabaseConnection, digest: str, now: datetime, *, state_digest: str | None = None) -> bool:
    """End a sign-in. Of several attempts, one returns True.

    Args:
        connection: A transaction.
        digest: Names the sign-in.
        now: The time.
        state_digest: The state that Calendly was given must still be this one.
    """
    conditions = [table.c.digest == digest, table.c.ended_at.is_(None)]
    if state_digest is not None:
        conditions.append(table.c.state_digest == state_digest)
    result = await connection.execute(update(table).where(*conditions).values(ended_at=now, verifier_ciphertext=None))
    return result.rowcount == 1


async def forget(connection: DatabaseConnection, person: str) -> None:
    """Forget for whom consent pages were shown; the sign-ins go on."""
    await connection.execute(update(table).where(table.c.shown_to == person).values(shown_to=None))
