"""Mints tokens and stores their digests, in the transaction that decided to issue them."""

from dataclasses import dataclass, field
from datetime import datetime

from auth.endpoints.site import Site
from auth.grants import token_rows
from auth.grants.clients import Client
from auth.grants.rules import ACCESS_TOKEN_LIFE, FAMILY_LIFE, Code, RefreshToken, refresh_token_end
from auth.grants.token_rows import Family
from auth.protocol.scopes import Scopes
from auth.protocol.secrets import ACCESS_TOKEN, REFRESH_TOKEN, digest, mint, nonce
from storage.connection import DatabaseConnection


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens in clear, to be sent to a client.

    Attributes:
        access_token: The access token.
        refresh_token: The refresh token, None for a client that does not use them.
        scopes: The scopes of the access token.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    scopes: Scopes


async def begin_family(
    site: Site, connection: DatabaseConnection, client: Client, code: Code, code_digest: str
) -> Issued:
    """Issue the first tokens for a code."""
    now = site.now()
    ends_at = now + FAMILY_LIFE
    family = Family(nonce(site.random), code.grant, client.id, code_digest, code.resource, code.scopes, ends_at)
    await token_rows.add_family(connection, family)
    refresh_token = None
    if client.refreshes:
        refresh_token = await _add_refresh_token(site, connection, family.id, refresh_token_end(now, ends_at))
    return await _with_access_token(site, connection, family.id, refresh_token, code.scopes)


async def rotate(
    site: Site, connection: DatabaseConnection, presented: str, token: RefreshToken, scopes: Scopes
) -> Issued:
    """Issue a successor of a refresh token, and count its use."""
    now = site.now()
    await token_rows.use_refresh_token(connection, digest(presented), now)
    ends_at = refresh_token_end(now, token.family_expires_at)
    successor = await _add_refresh_token(site, connection, token.family, ends_at)
    return await _with_access_token(site, connection, token.family, successor, scopes)


async def _add_refresh_token(site: Site, connection: DatabaseConnection, family_id: str, expires_at: datetime) -> str:
    secret = mint(REFRESH_TOKEN, site.random)
    await token_rows.add_refresh_token(connection, digest(secret), family_id=family_id, expires_at=expires_at)
    return secret


async def _with_access_token(
    site: Site, connection: DatabaseConnection, family_id: str, refresh_token: str | None, scopes: Scopes
) -> Issued:
    secret = mint(ACCESS_TOKEN, site.random)
    await token_rows.add_access_token(
        connection, digest(secret), family_id=family_id, given=scopes, expires_at=site.now() + ACCESS_TOKEN_LIFE
    )
    return Issued(secret, refresh_token, scopes)
