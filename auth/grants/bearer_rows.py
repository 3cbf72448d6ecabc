"""The one statement of the bearer check: a token, who it speaks for, their connection to Calendly; and all agents."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Select, bindparam, null, or_, select

from auth.grants.bearer import Bearer
from auth.grants.grant_rows import is_lifeless
from auth.grants.rules import AccessToken
from auth.tables import access_token, agent_token, client, family, grant, upstream_connection, user
from auth.upstream import connection_rows
from storage.database import Database
from storage.keys import KeyRing
from storage.lookups import Fields, Lookup


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A stored token, and who it speaks for if it is good; the bearer's scopes are still to be decided."""

    token: AccessToken
    bearer: Bearer


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
    *connection_rows.COLUMNS,
)
_OWNERS: Final = grant.join(client).join(user).outerjoin(upstream_connection)

# What every call of every agent begins with: whose token it is, what it may do, and what Calendly takes instead.
_ACCESS_TOKEN: Final = Lookup(
    select(access_token.c.scopes, access_token.c.expires_at, family.c.ended_at, *_OWNER)
    .select_from(access_token.join(family).join(_OWNERS, family.c.grant == grant.c.id))
    .where(access_token.c.digest == bindparam("digest"))
)
_AGENT_TOKEN: Final = Lookup(
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


async def find_access_token(database: Database, keyring: KeyRing, digest: str) -> StoredToken | None:
    """Find an access token. Raises StorageUnavailable."""
    return _stored(await database.find(_ACCESS_TOKEN, digest=digest), keyring, "browser")


async def find_agent_token(database: Database, keyring: KeyRing, digest: str) -> StoredToken | None:
    """Find an agent token; its scope is that of its grant. Raises StorageUnavailable."""
    return _stored(await database.find(_AGENT_TOKEN, digest=digest), keyring, "agent_token")


async def find_agents(database: Database, keyring: KeyRing, name: str | None) -> list[Bearer]:
    """Find for whom tokens of live grants could speak, with all the scopes that were allowed, the oldest first.

    Raises StorageUnavailable.

    Args:
        database: Where they are.
        keyring: What their connections to Calendly are sealed under.
        name: The id of a grant or of a client; None for all there are.
    """
    named = or_(grant.c.id == name, client.c.id == name)
    return await _agents(database, keyring, _AGENTS if name is None else _AGENTS.where(named))


async def find_living(database: Database, keyring: KeyRing, grant_id: str, now: datetime) -> Bearer | None:
    """Find for whom a valid token of a grant speaks, with all the scopes that were allowed.

    Raises StorageUnavailable.
    """
    found = await _agents(database, keyring, _AGENTS.where(grant.c.id == grant_id, ~is_lifeless(now)))
    return found[0] if found else None


async def _agents(database: Database, keyring: KeyRing, query: Select[*tuple[Any, ...]]) -> list[Bearer]:
    async with database.read() as connection:
        rows = (await connection.execute(query)).mappings().all()
    return [
        _bearer(row, keyring, "agent_token" if row["client_kind"] == "agent" else "browser").limited_to(row["allowed"])
        for row in rows
    ]


def _stored(row: Fields | None, keyring: KeyRing, kind: Literal["browser", "agent_token"]) -> StoredToken | None:
    return None if row is None else StoredToken(_token(row), _bearer(row, keyring, kind))


def _token(row: Fields) -> AccessToken:
    return AccessToken(
        resource=row["resource"],
        scopes=row["scopes"],
        allowed=row["allowed"],
        expires_at=row["expires_at"],
        ended=row["ended_at"] is not None or row["grant_ended_at"] is not None,
    )


def _bearer(row: Fields, keyring: KeyRing, kind: Literal["browser", "agent_token"]) -> Bearer:
    return Bearer(
        person=row["uri"],
        organization=row["organization"],
        timezone=row["timezone"],
        client_id=row["client_id"],
        client_name=row["client_name"],
        grant_id=row["grant_id"],
        access=row["access"],
        scopes=frozenset(),
        connection=connection_rows.stored_connection(row, keyring),
        kind=kind,
    )
