"""The statements behind the pages of agents: what people let in, change and delete."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import delete, select, update

from auth.access.levels import Access
from auth.protocol.scopes import Scopes
from auth.tables import agent_token, client, grant, user
from storage import rows
from storage.connection import DatabaseConnection
from storage.rows import columns


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantedAgent:
    """An agent that a person let in.

    Attributes:
        id: The id of its grant.
        person: The user URI of that person.
        client: The id of its client.
        name: What it calls itself, None when it does not say.
        kind: `registered`, `document`, or `agent` for a job without a browser.
        redirect_uris: Where the browser is sent back to.
        scopes: The most that its tokens may have.
        access: What the person chose.
        let_in_at: When the person first let it in.
        ends_at: When a job's token ends, None for others.
        awaited_until: Until when it keeps its place without a token, None unless it is to sign in again.
    """

    id: str
    person: str
    client: str
    name: str | None
    kind: str
    redirect_uris: Sequence[str]
    scopes: Scopes
    access: Access = field(repr=False)
    let_in_at: datetime
    ends_at: datetime | None
    awaited_until: datetime | None


@dataclass(frozen=True, slots=True)
class PersonWithAgents:
    """A person with agents, for the pages of the owners of this server."""

    uri: str
    name: str | None
    email: str | None


_AGENTS: Final = (
    select(
        *columns(
            GrantedAgent,
            grant,
            name=client.c.name,
            kind=client.c.kind,
            redirect_uris=client.c.redirect_uris,
            let_in_at=grant.c.created_at,
            ends_at=agent_token.c.expires_at,
        )
    )
    .select_from(grant.join(client).outerjoin(agent_token))
    .where(grant.c.ended_at.is_(None))
    .order_by(grant.c.created_at, grant.c.id)
)


async def find_all(connection: DatabaseConnection, people: Sequence[str]) -> list[GrantedAgent]:
    """Find the agents of people, the oldest first."""
    return await rows.find_all(connection, GrantedAgent, _AGENTS.where(grant.c.person.in_(people)))


async def find(connection: DatabaseConnection, grant_id: str) -> GrantedAgent | None:
    """Find one agent."""
    return await rows.find_one(connection, GrantedAgent, _AGENTS.where(grant.c.id == grant_id))


async def names(connection: DatabaseConnection, grants: Collection[str]) -> Mapping[str, str]:
    """Find what agents call themselves, by the ids of their grants, also of those that have ended."""
    query = select(grant.c.id, client.c.name).select_from(grant.join(client)).where(grant.c.id.in_(grants))
    return {row.id: row.name or "" for row in await connection.execute(query)}


async def set_access(connection: DatabaseConnection, grant_id: str, access: Access) -> None:
    """Change what an agent may do, from its next call on."""
    live = grant.c.ended_at.is_(None)
    await connection.execute(update(grant).where(grant.c.id == grant_id, live).values(access=access))


async def find_people(
    connection: DatabaseConnection, after: str, limit: int, *, only: str | None = None
) -> list[PersonWithAgents]:
    """Find people with agents, in the order of their URIs; with `only`, the person of that URI."""
    let_in = select(grant.c.person).where(grant.c.ended_at.is_(None))
    query = select(*columns(PersonWithAgents, user)).where(user.c.uri.in_(let_in), user.c.uri > after)
    if only is not None:
        query = query.where(user.c.uri == only)
    return await rows.find_all(connection, PersonWithAgents, query.order_by(user.c.uri).limit(limit))


async def addresses(connection: DatabaseConnection, people: Collection[str]) -> Mapping[str, str]:
    """Find the e-mail addresses of people, by their user URIs; those of whom none is known are left out."""
    query = select(user.c.uri, user.c.email).where(user.c.uri.in_(people), user.c.email.is_not(None))
    return {row.uri: row.email for row in await connection.execute(query)}


async def delete_person(connection: DatabaseConnection, person: str) -> None:
    """Delete a person with their connection, grants, codes and tokens."""
    await connection.execute(delete(user).where(user.c.uri == person))
