"""The statements behind `auth.endpoints.agent_tokens`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, insert, or_, select

from auth.access.levels import Access
from auth.protocol.scopes import Scopes
from auth.tables import agent_token as table
from auth.tables import audit_entry, client, grant, upstream_connection, user
from calendly.identifiers import CALENDLY_ORIGIN
from storage.connection import DatabaseConnection
from storage.rows import columns, find_all


@dataclass(frozen=True, slots=True)
class AgentToken:
    """An agent token in a list.

    Attributes:
        person: A user URI.
        email: None where Calendly did not say.
        resource: The address at which it is valid.
        access: How far it goes.
        used_at: When it was last used, None where it never was.
    """

    id: str
    name: str
    person: str
    email: str | None
    resource: str
    scopes: Scopes
    access: Access
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None


async def find_connected(connection: DatabaseConnection, person: str | None) -> list[str]:
    """Find connected people by URI, uuid or e-mail address, all of them for None. Returns user URIs."""
    query = (
        select(user.c.uri)
        .select_from(user.join(upstream_connection))
        .where(upstream_connection.c.status != "revoked")
        .order_by(user.c.created_at)
    )
    if person is not None:
        uris = (person, f"{CALENDLY_ORIGIN}/users/{person}")
        query = query.where(or_(user.c.uri.in_(uris), func.lower(user.c.email) == person.lower()))
    return list((await connection.execute(query)).scalars())


async def find_resources(connection: DatabaseConnection) -> set[str]:
    """Find the addresses at which agents were let in."""
    return set((await connection.execute(select(grant.c.resource).distinct())).scalars())


async def add(connection: DatabaseConnection, digest: str, grant_id: str, expires_at: datetime) -> None:
    """Store a new token."""
    await connection.execute(insert(table).values(digest=digest, grant=grant_id, expires_at=expires_at))


async def list_live(connection: DatabaseConnection, now: datetime) -> list[AgentToken]:
    """List the valid tokens, the oldest first."""
    calls = select(func.max(audit_entry.c.at)).where(audit_entry.c.grant_id == grant.c.id, audit_entry.c.kind != "note")
    others: dict[str, ColumnElement[Any]] = {
        "name": client.c.name,
        "email": user.c.email,
        "expires_at": table.c.expires_at,
    }
    others |= {"used_at": calls.scalar_subquery()}
    query = select(*columns(AgentToken, grant, **others)).select_from(table.join(grant).join(client).join(user))
    live = query.where(grant.c.ended_at.is_(None), table.c.expires_at > now)
    return await find_all(connection, AgentToken, live.order_by(grant.c.created_at))
