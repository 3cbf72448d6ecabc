"""The statements behind the token families of `auth.grants.rules`."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, literal, or_, select, update

from auth.grants.rules import RefreshToken
from auth.protocol.scopes import Scopes
from auth.tables import access_token, family, grant, refresh_token
from storage.connection import DatabaseConnection
from storage.rows import columns, find_one, values
from storage.types import Instant


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


async def add_family(connection: DatabaseConnection, new: Family) -> None:
    """Store a new family."""
    await connection.execute(insert(family).values(values(new, family)))


async def add_access_token(
    connection: DatabaseConnection, digest: str, *, family_id: str, given: Scopes, expires_at: datetime
) -> None:
    """Store a new access token."""
    row = {"digest": digest, "family": family_id, "scopes": given, "expires_at": expires_at}
    await connection.execute(insert(access_token).values(row))


async def add_refresh_token(
    connection: DatabaseConnection, digest: str, *, family_id: str, expires_at: datetime
) -> None:
    """Store a new refresh token."""
    row = {"digest": digest, "family": family_id, "expires_at": expires_at}
    await connection.execute(insert(refresh_token).values(row))


async def find_refresh_token(
    connection: DatabaseConnection, digest: str, *, to_change: bool = False
) -> RefreshToken | None:
    """Find a refresh token, with what it inherits from its family and grant. Holds the row if it is `to_change`."""
    inherited = {
        **{name: family.c[name] for name in ("grant", "client", "resource", "scopes")},
        "allowed": grant.c.scopes,
        "family_expires_at": family.c.expires_at,
        "ended": or_(family.c.ended_at.is_not(None), grant.c.ended_at.is_not(None)),
    }
    query = select(*columns(RefreshToken, refresh_token, **inherited))
    query = query.select_from(refresh_token.join(family).join(grant)).where(refresh_token.c.digest == digest)
    return await find_one(connection, RefreshToken, query.with_for_update(of=refresh_token) if to_change else query)


async def client_of_access_token(connection: DatabaseConnection, digest: str) -> str | None:
    """Find the client of an access token. Returns its id, None for an unknown token."""
    query = select(family.c.client).select_from(access_token.join(family)).where(access_token.c.digest == digest)
    client_id: str | None = await connection.scalar(query)
    return client_id


async def delete_access_token(connection: DatabaseConnection, digest: str) -> None:
    """Delete one access token, and nothing else of its family."""
    await connection.execute(delete(access_token).where(access_token.c.digest == digest))


async def use_refresh_token(connection: DatabaseConnection, digest: str, now: datetime) -> None:
    """Store that a refresh token gave a successor."""
    used = {"used_at": func.coalesce(refresh_token.c.used_at, literal(now, Instant)), "uses": refresh_token.c.uses + 1}
    await connection.execute(update(refresh_token).where(refresh_token.c.digest == digest).values(used))


async def end_family(connection: DatabaseConnection, family_id: str, now: datetime) -> None:
    """End a family, and with it its refresh tokens and access tokens."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.id == family_id, live).values(ended_at=now))


async def end_families(connection: DatabaseConnection, grant_id: str, now: datetime) -> None:
    """End every family of a grant."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.grant == grant_id, live).values(ended_at=now))


async def end_family_of_code(connection: DatabaseConnection, code_digest: str, now: datetime) -> None:
    """End the family of a code."""
    live = family.c.ended_at.is_(None)
    await connection.execute(update(family).where(family.c.code_digest == code_digest, live).values(ended_at=now))
