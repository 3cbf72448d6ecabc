"""The statements behind grants: which clients a person let in.

Letting a client in and ending a grant lock the row of the person. So one process cannot end the
last grant of a person, and with it the connection to Calendly, while another process gives a new
one.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, text, update

from auth.access.levels import Access
from auth.protocol.scopes import Scopes
from auth.tables import access_token, agent_token, code, family, grant, refresh_token, user
from auth.upstream.login import CalendlyPerson
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.rows import values


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person allows a client."""

    id: str
    person: str
    client: str
    resource: str
    scopes: Scopes
    access: Access


async def put_person(connection: DatabaseConnection, person: CalendlyPerson, now: datetime) -> None:
    """Store who signed in, and lock the row."""
    row = values(person, user)
    statement = insert(connection, user).values(row | {"created_at": now})
    await connection.execute(statement.on_conflict_do_update(index_elements=[user.c.uri], set_=row))


async def hold_person(connection: DatabaseConnection, grant_id: str) -> str | None:
    """Lock the row of the person who gave a grant. Returns their URI, None when there is no such grant."""
    owner = select(grant.c.person).where(grant.c.id == grant_id).scalar_subquery()
    uri: str | None = await connection.scalar(select(user.c.uri).where(user.c.uri == owner).with_for_update())
    return uri


async def find_person(connection: DatabaseConnection, grant_id: str | None) -> str | None:
    """Find the person who gave a grant. Returns their URI, None when there is no such grant."""
    uri: str | None = await connection.scalar(select(grant.c.person).where(grant.c.id == grant_id))
    return uri


async def find_organization(connection: DatabaseConnection, person: str) -> str | None:
    """Find the organization of a person, None where Calendly did not say."""
    uri: str | None = await connection.scalar(select(user.c.organization).where(user.c.uri == person))
    return uri


async def allow(connection: DatabaseConnection, new: Grant, now: datetime) -> str:
    """Let a client in. A person has one grant for each client: a new one replaces what the old one allows.

    Returns:
        The id of the grant: that of `new`, unless the person had one.
    """
    statement = insert(connection, grant).values(values(new, grant) | {"created_at": now})
    replaced = statement.on_conflict_do_update(
        index_elements=[grant.c.person, grant.c.client, grant.c.resource],
        index_where=text("ended_at IS NULL"),
        set_={"scopes": new.scopes, "access": new.access, "awaited_until": None},
    )
    stored: str = (await connection.execute(replaced.returning(grant.c.id))).scalar_one()
    return stored


async def find_access(connection: DatabaseConnection, person: str, client: str, resource: str) -> Access | None:
    """Return what a person allows a client, None without a grant."""
    query = select(grant.c.access).where(
        grant.c.person == person,
        grant.c.client == client,
        grant.c.resource == resource,
        grant.c.ended_at.is_(None),
    )
    access: Access | None = await connection.scalar(query)
    return access


async def find_lifeless(connection: DatabaseConnection, now: datetime, limit: int) -> list[str]:
    """Find live grants without a valid token or code."""
    query = select(grant.c.id).where(is_lifeless(now)).limit(limit)
    return list((await connection.execute(query)).scalars())


async def end_lifeless(connection: DatabaseConnection, grant_id: str, now: datetime) -> None:
    """End a grant if it has no valid token or code."""
    await connection.execute(update(grant).where(grant.c.id == grant_id, is_lifeless(now)).values(ended_at=now))


async def end(connection: DatabaseConnection, grant_id: str, now: datetime) -> None:
    """End a grant, and with it its codes and tokens."""
    live = grant.c.ended_at.is_(None)
    await connection.execute(update(grant).where(grant.c.id == grant_id, live).values(ended_at=now))


async def await_sign_in(connection: DatabaseConnection, grant_id: str, until: datetime) -> None:
    """Keep a grant until a time, also without a valid token: its app is to sign in again."""
    await connection.execute(update(grant).where(grant.c.id == grant_id).values(awaited_until=until))


async def is_let_in_anywhere(connection: DatabaseConnection, person: str) -> bool:
    """Say whether a person has a live grant."""
    live = exists().where(grant.c.person == person, grant.c.ended_at.is_(None))
    return bool(await connection.scalar(select(live)))


async def find_people_without_grants(connection: DatabaseConnection, limit: int) -> list[str]:
    """Find people without any grant, live or ended."""
    query = select(user.c.uri).where(~exists().where(grant.c.person == user.c.uri)).limit(limit)
    return list((await connection.execute(query)).scalars())


async def forget_person(connection: DatabaseConnection, person: str) -> None:
    """Delete a person and their connection, unless they have let a client in meanwhile."""
    await connection.execute(select(user.c.uri).where(user.c.uri == person).with_for_update())
    # A second statement, because only with the row locked it sees what others committed.
    let_in = exists().where(grant.c.person == person)
    await connection.execute(delete(user).where(user.c.uri == person, ~let_in))


def is_lifeless(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a live grant has no valid token or code, and waits for none."""
    of_grant = and_(family.c.grant == grant.c.id, family.c.ended_at.is_(None))
    lives = (
        exists().where(access_token.c.family == family.c.id, access_token.c.expires_at > now, of_grant),
        exists().where(
            refresh_token.c.family == family.c.id,
            refresh_token.c.used_at.is_(None),
            refresh_token.c.expires_at > now,
            of_grant,
        ),
        exists().where(code.c.grant == grant.c.id, code.c.used_at.is_(None), code.c.expires_at > now),
        exists().where(agent_token.c.grant == grant.c.id, agent_token.c.expires_at > now),
    )
    waits = and_(grant.c.awaited_until.is_not(None), grant.c.awaited_until > now)
    return and_(grant.c.ended_at.is_(None), ~waits, ~or_(*lives))
