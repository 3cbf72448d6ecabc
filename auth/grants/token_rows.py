"""The statements behind the token families of `auth.grants.rules`."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.grants.rules import RefreshToken
from auth.protocol.scopes import Scopes
from auth.tables import access_token, family, grant, refresh_token
from storage.rows import columns, find_one, values


@dataclass(frozen=True, slots=True)
class Family:
    """A new token family."""

    id: str
    grant: str
    client: str
    code_digest: str
    resource: str
    scopes: Scopes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UsedRefreshToken:
    """The last used refresh token of a family.

    Attributes:
        digest: Names the row.
        successor_ciphertext: The live refresh token, None once its grace is over.
    """

    digest: str
    successor_ciphertext: bytes | None = field(repr=False)


async def add_family(connection: AsyncConnection, new: Family) -> None:
    """Store a new family."""
    await connection.execute(insert(family).values(values(new, family)))


async def add_access_token(
    connection: AsyncConnection, digest: str, *, family_id: str, given: Scopes, expires_at: datetime
) -> None:
    """Store a new access token."""
    row = {"digest": digest, "family": family_id, "scopes": given, "expires_at": expires_at}
    await connection.execute(insert(access_token).values(row))


async def add_refresh_token(
    connection: AsyncConnection, digest: str, *, family_id: str, sequence: int, expires_at: datetime
) -> None:
    """Store a new refresh token."""
    row = {"digest": digest, "family": family_id, "sequence": sequence, "expires_at": expires_at}
    await connection.execute(insert(refresh_token).values(row))


async def find_refresh_token(connection: AsyncConnection, digest: str) -> RefreshToken | None:
    """Find a refresh token, with what it inherits from its family and grant."""
    inherited = {
        **{name: family.c[name] for name in ("grant", "client", "resource", "scopes")},
        "allowed": grant.c.scopes,
        "family_expires_at": family.c.expires_at,
        "ended": or_(family.c.ended_at.is_not(None), grant.c.ended_at.is_not(None)),
    }
    query = select(*columns(RefreshToken, refresh_token, **inherited))
    query = query.select_from(refresh_token.join(family).join(grant)).where(refresh_token.c.digest == digest)
    return await find_one(connection, RefreshToken, query)


async def client_of_access_token(connection: AsyncConnection, digest: str) -> str | None:
    """Find the client of an access token. Returns its id, None for an unknown token."""
    query = select(family.c.client).select_from(access_token.join(family)).where(access_token.c.digest == digest)
    client_id: str | None = await connection.scalar(query)
    return client_id


async def delete_access_token(connection: AsyncConnection, digest: str) -> None:
    """Delete one access token, and nothing else of its family."""
    await connection.execute(delete(access_token).where(access_token.c.digest == digest))


async def use_refresh_token(connection: AsyncConnection, digest: str, successor: bytes, now: datetime) -> bool:
    """Mark a refresh token as used and store its sealed successor. Of several attempts, one returns True."""
    result = await connection.execute(
        update(refresh_token)
        .where(refresh_token.c.digest == digest, refresh_token.c.used_at.is_(None))
        .values(used_at=now, successor_ciphertext=successor)
    )
    return result.rowcount == 1


async def find_last_used(connection: AsyncConnection, family_id: str) -> UsedRefreshToken | None:
    """Find the last used refresh token of a family, None before the first refresh."""
    query = (
        select(*columns(UsedRefreshToken, refresh_token))
        .where(refresh_token.c.family == family_id, refresh_token.c.used_at.is_not(None))
        .order_by(refresh_token.c.sequence.desc())
        .limit(1)
    )
    return await find_one(connection, UsedRefreshToken, query)


async def forget_successors(connection: AsyncConnection, used_before: datetime) -> None:
    """Delete the sealed successors whose grace is over."""
    over = refresh_token.c.used_at < used_before
    kept = refresh_token.c.successor_ciphertext.is_not(None)
    await connection.execute(update(refresh_token).where(over, kept).values(successor_ciphertext=None))


async def end_family(connection: AsyncConnection, family_id: str, now: datetime) -> None:
    """End a family, and with it its refresh tokens and access tokens."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.id == family_id, live).values(ended_at=now))


async def end_family_of_code(connection: AsyncConnection, code_digest: str, now: datetime) -> None:
    """End the family of a code."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.code_digest == code_digest, live).values(ended_at=now))
