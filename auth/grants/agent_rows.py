"""The statements behind the pages of agents: what people let in, changed and deleted."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Executable, Row, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.access.levels import Access
from auth.access.text import read_access, spell_access
from auth.protocol import scopes
from auth.protocol.scopes import Scopes
from auth.tables import agent_token, client, grant, user


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent that a person let in.

    Attributes:
        id: Of the grant.
        person: Whose it is, a user URI.
        client: Its id.
        name: What it calls itself, None when it does not say.
        kind: `registered`, `document` or `agent`, a job without a browser.
        redirect_uris: Where it has the browser sent back to.
        scopes: What its tokens may have.
        access: What the person chose.
        let_in_at: When the person first let it in.
        ends_at: When a job's token ends, None for others.
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


@dataclass(frozen=True, slots=True)
class Person:
    """A person with agents, as an owner of this server sees them."""

    uri: str
    name: str | None
    email: str | None


_AGENTS: Final = (
    select(
        grant.c.id,
        grant.c.user_uri,
        grant.c.client_id,
        grant.c.scope,
        grant.c.access,
        grant.c.created_at,
        client.c.name,
        client.c.kind,
        client.c.redirect_uris,
        agent_token.c.expires_at,
    )
    .select_from(grant.join(client).outerjoin(agent_token))
    .where(grant.c.ended_at.is_(None))
    .order_by(grant.c.created_at, grant.c.id)
)


async def find_all(connection: AsyncConnection, people: Sequence[str]) -> list[Agent]:
    """Find the agents of people, the oldest first."""
    return await _read(connection, _AGENTS.where(grant.c.user_uri.in_(people)))


async def find(connection: AsyncConnection, grant_id: str) -> Agent | None:
    """Find one agent."""
    found = await _read(connection, _AGENTS.where(grant.c.id == grant_id))
    return found[0] if found else None


async def set_access(connection: AsyncConnection, grant_id: str, access: Access) -> None:
    """Change what an agent may do; its next call is decided by it."""
    live = grant.c.ended_at.is_(None)
    await connection.execute(update(grant).where(grant.c.id == grant_id, live).values(access=spell_access(access)))


async def find_people(connection: AsyncConnection, after: str, limit: int) -> list[Person]:
    """Find people with agents, in the order of their URIs."""
    let_in = select(grant.c.user_uri).where(grant.c.ended_at.is_(None))
    query = select(user.c.uri, user.c.name, user.c.email).where(user.c.uri.in_(let_in), user.c.uri > after)
    rows = await connection.execute(query.order_by(user.c.uri).limit(limit))
    return [Person(row.uri, row.name, row.email) for row in rows]


async def delete_person(connection: AsyncConnection, person: str) -> None:
    """Delete a person with everything that hangs on them: connection, grants, codes and tokens."""
    await connection.execute(delete(user).where(user.c.uri == person))


async def _read(connection: AsyncConnection, query: Executable) -> list[Agent]:
    return [_agent(row) for row in await connection.execute(query)]


def _agent(row: Row[tuple[object, ...]]) -> Agent:
    return Agent(
        id=row.id,
        person=row.user_uri,
        client=row.client_id,
        name=row.name,
        kind=row.kind,
        redirect_uris=tuple(row.redirect_uris),
        scopes=scopes.read(row.scope),
        access=read_access(row.access),
        let_in_at=row.created_at,
        ends_at=row.expires_at,
    )
