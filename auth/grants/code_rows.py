"""The statements behind the codes of `auth.grants.rules`."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.grants.rules import Code
from auth.protocol import scopes
from auth.tables import code as table
from auth.tables import grant


async def add(connection: AsyncConnection, digest: str, code: Code) -> None:
    """Store a new code."""
    await connection.execute(
        insert(table).values(
            digest=digest,
            grant_id=code.grant,
            client_id=code.client,
            redirect_uri=code.redirect_uri,
            redirect_uri_sent=code.redirect_uri_sent,
            challenge=code.challenge,
            resource=code.resource,
            scope=scopes.spell(code.scopes),
            expires_at=code.expires_at,
        )
    )


async def find(connection: AsyncConnection, digest: str) -> Code | None:
    """Find a code."""
    query = select(table, grant.c.ended_at.label("grant_ended_at")).join(grant).where(table.c.digest == digest)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return Code(
        grant=row.grant_id,
        client=row.client_id,
        redirect_uri=row.redirect_uri,
        redirect_uri_sent=row.redirect_uri_sent,
        challenge=row.challenge,
        resource=row.resource,
        scopes=scopes.read(row.scope),
        expires_at=row.expires_at,
        used_at=row.used_at,
        grant_ended=row.grant_ended_at is not None,
    )


async def use(connection: AsyncConnection, digest: str, now: datetime) -> bool:
    """Mark a code used; of several that try, one succeeds."""
    unused = table.c.used_at.is_(None)
    result = await connection.execute(update(table).where(table.c.digest == digest, unused).values(used_at=now))
    return result.rowcount == 1
