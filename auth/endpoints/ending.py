"""Ending what a person gave a client, and with the last of it our connection to Calendly."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.endpoints import page_session_rows
from auth.endpoints.site import Realm
from auth.grants import agent_rows, grant_rows, restriction_rows
from auth.upstream.login import Tokens


async def end_grant(realm: Realm, grant_id: str) -> None:
    """End a grant and every token that came of it. Raises StorageUnavailable, after which nothing has ended."""
    async with realm.database.begin() as connection:
        person = await grant_rows.hold_person(connection, grant_id)
        await grant_rows.end(connection, grant_id, realm.now())
        detached = None if person is None else await detach_if_last(realm, connection, person)
    await disconnect(realm, [] if detached is None else [detached])


async def detach_if_last(realm: Realm, connection: AsyncConnection, person: str) -> Tokens | None:
    """Forget a person's tokens of Calendly's when no grant is left; returned, they are to be revoked there."""
    if await grant_rows.is_let_in_anywhere(connection, person):
        return None
    return await realm.connections.detach(connection, person)


async def disconnect(realm: Realm, detached: Sequence[Tokens]) -> None:
    """Revoke detached tokens at Calendly, now that the transaction which detached them is committed."""
    for tokens in detached:
        await realm.connections.end(tokens)


async def forget(realm: Realm, person: str) -> None:
    """Delete everything that is stored of a person, and with it all that their agents have.

    The audit log stays as long as the operator keeps it. Raises StorageUnavailable, after which nothing is deleted.
    """
    async with realm.database.begin() as connection:
        detached = await realm.connections.detach(connection, person)
        await agent_rows.delete_person(connection, person)
        await restriction_rows.forget(connection, person)
        await page_session_rows.end_all(connection, person)
    await disconnect(realm, [] if detached is None else [detached])
