"""The statements behind `auth.endpoints.page_sign_in` and `auth.endpoints.page_sessions`."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import delete, insert, select, update

from auth.tables import page_session, page_sign_in
from storage.connection import DatabaseConnection
from storage.rows import columns, find_one, values


@dataclass(frozen=True, slots=True)
class PageSignIn:
    """A sign-in to one of our pages that is under way at Calendly.

    Attributes:
        state_digest: Of the state that Calendly was given; names the row.
        browser_digest: Of the cookie of the browser that set out.
        goes_to: The page.
    """

    state_digest: str
    browser_digest: str
    verifier_ciphertext: bytes = field(repr=False)
    goes_to: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSession:
    """A session of a person who signed in to our pages.

    Attributes:
        digest: Of the cookie; names the row.
        person: Their Calendly user URI.
        name: As Calendly gave it at sign-in, like e-mail address and time zone; None where it gave
            none.
        message: What the next page says once.
        ends_at: When it ends at the latest.
        expires_at: When it ends if nothing more is asked for.
        form_secret: Proves that a form was shown in this session; not stored.
    """

    digest: str
    person: str
    name: str | None
    email: str | None
    timezone: str | None
    message: str | None
    ends_at: datetime
    expires_at: datetime
    form_secret: str = field(repr=False)


async def begin(connection: DatabaseConnection, begun: PageSignIn) -> None:
    """Store a sign-in that begins."""
    await connection.execute(insert(page_sign_in).values(values(begun, page_sign_in)))


async def find_sign_in(connection: DatabaseConnection, state_digest: str) -> PageSignIn | None:
    """Find the sign-in that Calendly answers."""
    query = select(*columns(PageSignIn, page_sign_in)).where(page_sign_in.c.state_digest == state_digest)
    return await find_one(connection, PageSignIn, query)


async def take_sign_in(connection: DatabaseConnection, state_digest: str) -> bool:
    """End a sign-in. Of several attempts, one returns True."""
    return (
        await connection.execute(delete(page_sign_in).where(page_sign_in.c.state_digest == state_digest))
    ).rowcount == 1


async def add(connection: DatabaseConnection, session: PageSession) -> None:
    """Store a session that begins."""
    await connection.execute(insert(page_session).values(values(session, page_session)))


async def find(connection: DatabaseConnection, digest: str, form_secret: str, now: datetime) -> PageSession | None:
    """Find a live session."""
    query = select(*columns(PageSession, page_session))
    live = query.where(page_session.c.digest == digest, page_session.c.expires_at > now)
    return await find_one(connection, partial(PageSession, form_secret=form_secret), live)


async def prolong(connection: DatabaseConnection, digest: str, expires_at: datetime) -> None:
    """Prolong a session that is in use."""
    await connection.execute(update(page_session).where(page_session.c.digest == digest).values(expires_at=expires_at))


async def set_message(connection: DatabaseConnection, digest: str, message: str | None) -> None:
    """Set what the next page says once, None to delete it."""
    await connection.execute(update(page_session).where(page_session.c.digest == digest).values(message=message))


async def end(connection: DatabaseConnection, digest: str) -> None:
    """End a session."""
    await connection.execute(delete(page_session).where(page_session.c.digest == digest))


async def end_all(connection: DatabaseConnection, person: str) -> None:
    """End every session of a person."""
    await connection.execute(delete(page_session).where(page_session.c.person == person))
