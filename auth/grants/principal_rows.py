"""The one statement of the bearer check: a token with everything that decides about it; and the agents it is for."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from sqlalchemy import Executable, Row, bindparam, null, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.grants.principal import Principal
from auth.grants.rules import AccessToken
from auth.tables import access_token, agent_token, client, family, grant, upstream_connection, user


@dataclass(frozen=True, slots=True)
class Bearer:
    """A stored token, and who it speaks for if it is good; the principal's scopes are still to be decided."""

    token: AccessToken
    principal: Principal


_OWNER: Final = (
    grant.c.id.label("grant_id"),
    grant.c.resource,
    grant.c.scopes.label("allowed"),
    grant.c.access,
    grant.c.ended_at.label("grant_ended_at"),
    client.c.id.label("client_id"),
    client.c.name.label("client_name"),
    user.c.uri,
    user.c.organization,
    user.c.timezone,
    upstream_connection.c.scopes.label("granted"),
)
_OWNERS: Final = grant.join(client).join(user).outerjoin(upstream_connection)

# Written once: they are asked for every call of every agent.
_ACCESS_TOKEN: Final = (
    select(access_token.c.scopes, access_token.c.expires_at, family.c.ended_at, *_OWNER)
    .select_from(access_token.join(family).join(_OWNERS, family.c.grant == grant.c.id))
    .where(access_token.c.digest == bindparam("digest"))
)
_AGENT_TOKEN: Final = (
    select(grant.c.scopes, agent_token.c.expires_at, null().label("ended_at"), *_OWNER)
    .select_from(agent_token.join(_OWNERS, agent_token.c.grant == grant.c.id))
    .where(agent_token.c.digest == bindparam("digest"))
)


_AGENTS: Final = (
    select(*_OWNER, client.c.kind.label("client_kind"))
    .select_from(_OWNERS)
    .where(grant.c.ended_at.is_(None))
    .order_by(grant.c.created_at, grant.c.id)
)


async def find_access_token(connection: AsyncConnection, digest: str) -> Bearer | None:
    """Find an access token."""
    return await _find(connection, _ACCESS_TOKEN, digest, "browser")


async def find_agent_token(connection: AsyncConnection, digest: str) -> Bearer | None:
    """Find an agent token; its scope is that of its grant."""
    return await _find(connection, _AGENT_TOKEN, digest, "agent_token")


async def find_agents(connection: AsyncConnection, name: str | None) -> list[Principal]:
    """Find for whom tokens of live grants could speak, with all the scopes that were allowed, the oldest first.

    Args:
        connection: To the database.
        name: The id of a grant or of a client; None for all there are.
    """
    named = or_(grant.c.id == name, client.c.id == name)
    return await _read_agents(connection, _AGENTS if name is None else _AGENTS.where(named))


async def _read_agents(connection: AsyncConnection, query: Executable) -> list[Principal]:
    return [
        replace(_principal(row, "agent_token" if row.client_kind == "agent" else "browser"), scopes=row.allowed)
        for row in await connection.execute(query)
    ]


async def _find(
    connection: AsyncConnection, query: Executable, digest: str, kind: Literal["browser", "agent_token"]
) -> Bearer | None:
    row = (await connection.execute(query, {"digest": digest})).one_or_none()
    return None if row is None else Bearer(_token(row), _principal(row, kind))


def _token(row: Row[tuple[object, ...]]) -> AccessToken:
    return AccessToken(
        resource=row.resource,
        scopes=row.scopes,
        allowed=row.allowed,
        expires_at=row.expires_at,
        ended=row.ended_at is not None or row.grant_ended_at is not None,
    )


def _principal(row: Row[tuple[object, ...]], kind: Literal["browser", "agent_token"]) -> Principal:
    return Principal(
        person=row.uri,
        organization=row.organization,
        timezone=row.timezone,
        client_id=row.client_id,
        client_name=row.client_name,
        grant_id=row.grant_id,
        access=row.access,
        scopes=frozenset(),
        granted=row.granted,
        kind=kind,
    )
