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
from events.incoming import stored_receivers
from events.incoming.incoming import receiver_digest
from events.incoming.stored_receivers import StoredReceiver
from events.kinds import MEETINGS
from server.app import rules
from server.calls.selection import select
from server.configuration.loading import load
from server.hosted.site import document_fetcher, site_for
from server.stores.database import open_store
from server.stores.events import feeds_in
from tools import ALL

ADDRESS: Final = "https://mcp.example"
"""The public address of the endpoint, wherever it listens."""


KEYS: Final = f"benchmark:{b64encode(bytes(32)).decode()}"
"""The key ring of its database."""


AGENT: Final = "benchmark"
"""What the agent is called."""

_SECRET: Final = "receiver-of-the-benchmark"  # noqa: S105 - it protects nothing
_KEY: Final = "signing-key-of-the-benchmark"


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
            scopes = {"users:read", "scheduled_events:read"}
        made = await agent_tokens.create(site, name=AGENT, person=None, scopes=scopes)
    return made.secret


def prepare_receiver(database: str) -> tuple[str, str]:
    """Make a receiver of webhooks of the person in a prepared database; the secret in its address, and its key."""
    asyncio.run(_prepare_receiver(database))
    return _SECRET, _KEY


async def _prepare_receiver(database: str) -> None:
    settings = load("token", {"database_url": database}, environ={"CALENDLY_MCP_SECRET_KEYS": KEYS})
    person, now, digest = str(USER["uri"]), datetime.now(UTC), receiver_digest(_SECRET)
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        await feeds_in(store.database, store.keyring, lambda: now, settings.events_days).begin(person)
        row = StoredReceiver(
            receiver_digest=digest,
            person=person,
            family=MEETINGS.name,
            state="live",
            key_ciphertext=store.keyring.seal(_KEY.encode(), **stored_receivers.key_place(digest)),
            created_at=now,
            checked_at=now,
        )
        async with store.database.begin() as connection:
            await stored_receivers.add(connection, row)
