"""Minting tokens and storing what is kept of them; part of the transaction of whoever decided that they are due."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth.endpoints.site import Realm
from auth.grants import token_rows
from auth.grants.clients import Client
from auth.grants.rules import ACCESS_TOKEN_LIFE, FAMILY_LIFE, Code, RefreshToken, refresh_token_end
from auth.grants.token_rows import Family
from auth.protocol.scopes import Scopes
from auth.protocol.secrets import ACCESS_TOKEN, REFRESH_TOKEN, digest, mint, nonce
from auth.tables import refresh_token as table
from storage.types import sealed_for


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens in plain sight, on their way to a client. `refresh_token` is None for a client that wants none."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: Scopes


async def begin_family(
    realm: Realm, connection: AsyncConnection, client: Client, code: Code, code_digest: str
) -> Issued:
    """Issue the first tokens of a code."""
    now = realm.now()
    ends_at = now + FAMILY_LIFE
    family = Family(nonce(realm.random), code.grant, client.id, code_digest, code.resource, code.scopes, ends_at)
    await token_rows.add_family(connection, family)
    refresh_token = mint(REFRESH_TOKEN, realm.random) if client.refreshes else None
    if refresh_token is not None:
        await _store_refresh_token(connection, refresh_token, family.id, 1, refresh_token_end(now, ends_at))
    return await _with_access_token(realm, connection, family.id, refresh_token, code.scopes)


async def rotate(
    realm: Realm, connection: AsyncConnection, presented: str, token: RefreshToken, scopes: Scopes
) -> Issued | None:
    """Issue the successor of a refresh token, or None when somebody else was faster to use it."""
    now, used = realm.now(), digest(presented)
    successor = mint(REFRESH_TOKEN, realm.random)
    sealed = realm.keyring.seal(successor.encode(), **sealed_for(table.c.successor_ciphertext, used))
    if not await token_rows.use_refresh_token(connection, used, sealed, now):
        return None
    ends_at = refresh_token_end(now, token.family_expires_at)
    await _store_refresh_token(connection, successor, token.family, token.sequence + 1, ends_at)
    return await _with_access_token(realm, connection, token.family, successor, scopes)


async def repeat(realm: Realm, connection: AsyncConnection, token: RefreshToken, scopes: Scopes) -> Issued | None:
    """Issue the live refresh token of a family once more, or None when it is no longer kept."""
    used = await token_rows.find_last_used(connection, token.family)
    if used is None or used.successor_ciphertext is None:
        return None
    place = sealed_for(table.c.successor_ciphertext, used.digest)
    live = realm.keyring.open(used.successor_ciphertext, **place).decode()
    return await _with_access_token(realm, connection, token.family, live, scopes)


async def _store_refresh_token(
    connection: AsyncConnection, secret: str, family_id: str, sequence: int, expires_at: datetime
) -> None:
    await token_rows.add_refresh_token(
        connection, digest(secret), family_id=family_id, sequence=sequence, expires_at=expires_at
    )


async def _with_access_token(
    realm: Realm, connection: AsyncConnection, family_id: str, refresh_token: str | None, scopes: Scopes
) -> Issued:
    secret = mint(ACCESS_TOKEN, realm.random)
    await token_rows.add_access_token(
        connection, digest(secret), family_id=family_id, given=scopes, expires_at=realm.now() + ACCESS_TOKEN_LIFE
    )
    return Issued(secret, refresh_token, scopes)
