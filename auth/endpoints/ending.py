"""Ends grants, and a person's connection to Calendly with their last grant."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auth.endpoints import page_session_rows
from auth.endpoints.site import LeftEvents, Site
from auth.grants import agent_rows, grant_rows, restriction_rows, transaction_rows
from auth.upstream.login import Tokens
from storage.connection import DatabaseConnection


@asynccontextmanager
async def ending(site: Site, grant_id: str) -> AsyncGenerator[tuple[DatabaseConnection, str | None]]:
    """Open a transaction in which a grant may end. Yields it and the person, None if there is no such grant.

    If the person then has no grant left, their events and their tokens at Calendly are forgotten in it, and what is
    left at Calendly is removed and revoked after it, in the background, where callbacks are told, too.
    """
    async with site.database.begin() as connection:
        person = await grant_rows.hold_person(connection, grant_id)
        yield connection, person
        left = None
        if person is not None and not await grant_rows.is_let_in_anywhere(connection, person):
            left = await _detach(site, connection, person)
    if left is not None:
        _depart(site, left)


async def end_grant(site: Site, grant_id: str) -> None:
    """End a grant and all its tokens. Raises StorageUnavailable, after which nothing has ended."""
    async with ending(site, grant_id) as (connection, _):
        await grant_rows.end(connection, grant_id, site.now())


async def forget(site: Site, person: str) -> None:
    """Delete everything that is stored about a person but the audit log, and so end all their agents.

    Raises StorageUnavailable, after which nothing is deleted.
    """
    async with site.database.begin() as connection:
        left = await _detach(site, connection, person)
        await agent_rows.delete_person(connection, person)
        await restriction_rows.forget(connection, person)
        await transaction_rows.forget(connection, person)
        await page_session_rows.end_all(connection, person)
    _depart(site, left)


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of somebody without agents.

    Attributes:
        person: Who.
        events: What is to be done about their events.
        tokens: Their tokens, None where there are none.
    """

    person: str
    events: LeftEvents
    tokens: Tokens | None


async def _detach(site: Site, connection: DatabaseConnection, person: str) -> _Left:
    """Delete the events and the tokens of a person, in the transaction that ends their last grant."""
    events = await site.events.forget(connection, person)
    return _Left(person, events, await site.connections.detach(connection, person))


def _depart(site: Site, left: _Left) -> None:
    """Begin what is done in the background for somebody without agents; callbacks do not delay the revocation."""
    site.departures.begin(left.events.tell())
    site.departures.begin(_leave(site, left))


async def _leave(site: Site, left: _Left) -> None:
    """Remove what is left at Calendly, the tokens last, with which the rest is removed."""
    if left.tokens is not None:
        await site.events.leave(left.person, left.events.webhooks, left.tokens.access_token)
        await site.connections.end(left.tokens)
