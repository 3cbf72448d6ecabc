"""`calendly-mcp token create|list|revoke`: tokens of the hosted endpoint for agents without a browser."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import anyio

from auth.access.levels import LOCAL, Access
from auth.access.text import InvalidAccess, parse_access
from auth.endpoints import agent_tokens
from auth.endpoints.site import Realm
from auth.protocol.scopes import BUNDLES, spell
from server.calls.selection import Selection
from server.commands.http import PORT
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError, UsageError, say
from server.hosted.hosting import document_fetcher, hosted_selection, realm_for
from server.stores.database import open_store
from storage.errors import StorageError


def run(arguments: CommandLine) -> int:
    """Do what was asked for. Returns the exit status."""
    settings = load("token", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    sys.stdout.write(anyio.run(partial(_act, settings, _ACTIONS[arguments.action](arguments.options))))
    sys.stdout.flush()
    return 0


_Options = Mapping[str, str]
_Action = Callable[[Realm], Awaitable[str]]


async def _act(settings: Settings, action: _Action) -> str:
    async with opened_realm(settings, hosted_selection(settings)) as realm:
        try:
            return await action(realm)
        except (agent_tokens.AgentTokenError, StorageError) as fault:
            raise CommandError(str(fault)) from None


@asynccontextmanager
async def opened_realm(settings: Settings, selection: Selection) -> AsyncGenerator[Realm]:
    """Open what the hosted endpoint of these settings and tools works with. Raises CommandError."""
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    issuer = settings.public_url or f"http://{shown}:{settings.port or PORT}"
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        yield realm_for(settings, issuer, selection, store, document_fetcher(settings))


def _create(options: _Options) -> _Action:
    named = options["scopes"].replace(",", " ").split()
    scopes = {scope for name in named for scope in BUNDLES.get(name, (name,))}
    try:
        access = parse_access(options["access"]) if "access" in options else LOCAL
    except InvalidAccess as fault:
        raise UsageError(f"--access: {fault}") from None
    return partial(_created, name=options["for"], person=options.get("user"), scopes=scopes, access=access)


async def _created(realm: Realm, *, name: str, person: str | None, scopes: set[str], access: Access) -> str:
    made = await agent_tokens.create(realm, name=name, person=person, scopes=scopes, access=access)
    say(f"For {realm.resource} until {made.expires_at:%Y-%m-%d}; shown this once. To end it: token revoke {made.id}")
    return f"{made.secret}\n"


async def _listed(realm: Realm) -> str:
    rows = [
        (token.id, token.name, token.email or token.person, f"{token.expires_at:%Y-%m-%d}", spell(token.scopes))
        for token in await agent_tokens.list_all(realm)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


async def _revoked(realm: Realm, token: str) -> str:
    await agent_tokens.revoke(realm, token)
    return "Revoked.\n"


# What reads the options of an action, before the database is opened.
_ACTIONS: Final[Mapping[str, Callable[[_Options], _Action]]] = {
    "create": _create,
    "list": lambda _: _listed,
    "revoke": lambda options: partial(_revoked, token=options["id"]),
}
