"""A hosted endpoint with one sign-in: its database, and the token of an agent."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from auth.endpoints import agent_tokens
from auth.grants import grant_rows
from auth.upstream.login import CalendlyPerson, SignIn, Tokens
from benchmarks.upstream import USER
from server.app import rules
from server.calls.selection import select
from server.configuration.loading import load
from server.hosted.hosting import document_fetcher, realm_for
from server.stores.database import open_store
from tools import ALL

ADDRESS: Final = "https://mcp.example"
"""The public address of the endpoint, wherever it listens."""


def prepare(folder: Path) -> tuple[str, str]:
    """Make the database of an endpoint at `ADDRESS`; its URL, and the token of an agent that may look up users."""
    url = f"sqlite:///{folder / 'database'}"
    return url, asyncio.run(_prepare(url))


async def _prepare(url: str) -> str:
    settings = load("token", {"database_url": url}, environ={})
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        selection = select(ALL, rules(settings, settings.hosted_ceiling, limited_to=settings.scopes))
        realm = realm_for(settings, ADDRESS, selection, store, document_fetcher(settings))
        now = datetime.now(UTC)
        person = CalendlyPerson(
            str(USER["uri"]), USER["current_organization"], USER["name"], USER["email"], USER["timezone"]
        )
        tokens = Tokens("access", "refresh", now + timedelta(days=1), frozenset(settings.scopes), None, None)
        async with store.database.begin() as connection:
            await grant_rows.put_person(connection, person, now)
            await realm.connections.keep(connection, SignIn(person, tokens))
        made = await agent_tokens.create(realm, name="benchmark", person=None, scopes={"users:read"})
    return made.secret
