"""The statements behind the token families of `auth.grants.rules`."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.grants.rules import RefreshToken
from auth.protocol import scopes
from auth.protocol.scopes import Scopes
from auth.tables import access_token, family, grant, refresh_token


@dataclass(frozen=True, slots=True)
class Family:
    """A token family, as it begins."""

    id: str
    grant: str
    client: str
    code_digest: str
    resource: str
    scopes: Scopes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Successor:
    """The live refresh token of a family, sealed beside the token before it."""

    predecessor_digest: str
    ciphertext: bytes | None = field(repr=False)


async def add_family(connection: AsyncConnection, new: Family) -> None:
    """Store a new family."""
    await connection.execute(
        insert(family).values(
            id=new.id,
            grant_id=new.grant,
            client_id=new.client,
            code_digest=new.code_digest,
            resource=new.resource,
            scope=scopes.spell(new.scopes),
            expires_at=new.expires_at,
        )
    )


async def add_access_token(
    connection: AsyncConnection, digest: str, *, family_id: str, given: Scopes, expires_at: datetime
) -> None:
    """Store a new access token."""
    await connection.execute(
        insert(access_token).values(
            digest=digest, family_id=family_id, scope=scopes.spell(given), expires_at=expires_at
        )
    )


async def add_refresh_token(
    connection: AsyncConnection, digest: str, *, family_id: str, sequence: int, expires_at: datetime
) -> None:
    """Store a new refresh token."""
    await connection.execute(
        insert(refresh_token).values(digest=digest, family_id=family_id, sequence=sequence, expires_at=expires_at)
    )


async def find_refresh_token(connection: AsyncConnection, digest: str) -> RefreshToken | None:
    """Find a refresh token with what it inherits from family and grant."""
    query = (
        select(
            refresh_token,
            family.c.grant_id,
            family.c.client_id,
            family.c.resource,
            family.c.scope,
            family.c.expires_at.label("family_expires_at"),
            family.c.ended_at.label("family_ended_at"),
            grant.c.scope.label("allowed"),
            grant.c.ended_at.label("grant_ended_at"),
        )
        .select_from(refresh_token.join(family).join(grant))
        .where(refresh_token.c.digest == digest)
    )
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    return RefreshToken(
        family=row.family_id,
        sequence=row.sequence,
        grant=row.grant_id,
        client=row.client_id,
        resource=row.resource,
        scopes=scopes.read(row.scope),
        allowed=scopes.read(row.allowed),
        expires_at=row.expires_at,
        family_expires_at=row.family_expires_at,
        used_at=row.used_at,
        ended=row.family_ended_at is not None or row.grant_ended_at is not None,
    )


async def client_of_access_token(connection: AsyncConnection, digest: str) -> str | None:
    """Say whose access token it is, None when it is nobody's."""
    query = select(family.c.client_id).select_from(access_token.join(family)).where(access_token.c.digest == digest)
    client_id: str | None = await connection.scalar(query)
    return client_id


async def delete_access_token(connection: AsyncConnection, digest: str) -> None:
    """Delete one access token; what came with it stays."""
    await connection.execute(delete(access_token).where(access_token.c.digest == digest))


async def use_refresh_token(connection: AsyncConnection, digest: str, successor: bytes, now: datetime) -> bool:
    """Mark a refresh token used and keep its sealed successor; of several that try, one succeeds."""
    result = await connection.execute(
        update(refresh_token)
        .where(refresh_token.c.digest == digest, refresh_token.c.used_at.is_(None))
        .values(used_at=now, successor_ciphertext=successor)
    )
    return result.rowcount == 1


async def find_successor(connection: AsyncConnection, family_id: str) -> Successor:
    """Find the live refresh token of a family that was refreshed before."""
    query = (
        select(refresh_token.c.digest, refresh_token.c.successor_ciphertext)
        .where(refresh_token.c.family_id == family_id, refresh_token.c.used_at.is_not(None))
        .order_by(refresh_token.c.sequence.desc())
        .limit(1)
    )
    row = (await connection.execute(query)).one()
    return Successor(row.digest, row.successor_ciphertext)


async def forget_successors(connection: AsyncConnection, used_before: datetime) -> None:
    """Forget the sealed successors whose grace is over."""
    over = refresh_token.c.used_at < used_before
    kept = refresh_token.c.successor_ciphertext.is_not(None)
    await connection.execute(update(refresh_token).where(over, kept).values(successor_ciphertext=None))


async def end_family(connection: AsyncConnection, family_id: str, now: datetime) -> None:
    """End a family, and with it its refresh tokens and access tokens."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.id == family_id, live).values(ended_at=now))


async def end_family_of_code(connection: AsyncConnection, code_digest: str, now: datetime) -> None:
    """End what came of a code."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.code_digest == code_digest, live).values(ended_at=now))
