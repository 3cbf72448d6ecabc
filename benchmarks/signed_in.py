"""A hosted endpoint with one sign-in: its database, and the token of an agent."""

import asyncio
from base64 import b64encode
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Final

from auth.endpoints import agent_tokens
from auth.grants import grant_rows
from auth.upstream.login import CalendlyPerson, SignIn, Tokens
from benchmarks.upstream import USER
from server.app import rules
from server.calls.selection import select
from server.configuration.loading import load
from server.hosted.site import document_fetcher, site_for
from server.stores.database import open_store
from tools import ALL

ADDRESS: Final = "https://mcp.example"
"""The public address of the endpoint, wherever it listens."""


KEYS: Final = f"benchmark:{b64encode(bytes(32)).decode()}"
"""The key ring of its database."""


def prepare(database: str) -> str:
    """Make the tables of an endpoint where they are missing, and the token of an agent that may look up users.

    Args:
        database: The URL of the database.
    """
    return asyncio.run(_prepare(database))


async def _prepare(database: str) -> str:
    settings = load("token", {"database_url": database}, environ={"CALENDLY_MCP_SECRET_KEYS": KEYS})
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        selection = select(ALL, rules(settings, settings.hosted_ceiling, limited_to=settings.scopes))
        site = site_for(settings, ADDRESS, selection, store, document_fetcher(settings))
        now = datetime.now(UTC)
        person = CalendlyPerson(
            str(USER["uri"]), USER["current_organization"], USER["name"], USER["email"], USER["timezone"]
        )
        tokens = Tokens("access", "refresh", now + timedelta(days=1), frozenset(settings.scopes), None, None)
        async with store.database.begin() as connection:
            await grant_rows.put_person(connection, person, now)
            await site.connections.keep(connection, SignIn(person, tokens))
        made = await agent_tokens.create(site, name="benchmark", person=None, scopes={"users:read"})
    return made.secret
