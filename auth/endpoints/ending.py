"""Ends grants, and a person's connection to Calendly with their last grant."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.endpoints import page_session_rows
from auth.endpoints.site import Realm
from auth.grants import agent_rows, grant_rows, restriction_rows, transaction_rows


@asynccontextmanager
async def ending(realm: Realm, grant_id: str) -> AsyncGenerator[tuple[AsyncConnection, str | None]]:
    """Open a transaction in which a grant may end. Yields it and the person, None if there is no such grant.

    If the person then has no grant left, their tokens at Calendly are forgotten in it and revoked after it.
    """
    async with realm.database.begin() as connection:
        person = await grant_rows.hold_person(connection, grant_id)
        yield connection, person
        tokens = None
        if person is not None and not await grant_rows.is_let_in_anywhere(connection, person):
            tokens = await realm.connections.detach(connection, person)
    if tokens is not None:
        await realm.connections.end(tokens)


async def end_grant(realm: Realm, grant_id: str) -> None:
    """End a grant and all its tokens. Raises StorageUnavailable, after which nothing has ended."""
    async with ending(realm, grant_id) as (connection, _):
        await grant_rows.end(connection, grant_id, realm.now())


async def forget(realm: Realm, person: str) -> None:
    """Delete everything that is stored about a person but the audit log, and so end all their agents.

    Raises StorageUnavailable, after which nothing is deleted.
    """
    async with realm.database.begin() as connection:
        tokens = await realm.connections.detach(connection, person)
        await agent_rows.delete_person(connection, person)
        await restriction_rows.forget(connection, person)
        await transaction_rows.forget(connection, person)
        await page_session_rows.end_all(connection, person)
    if tokens is not None:
        await realm.connections.end(tokens)
