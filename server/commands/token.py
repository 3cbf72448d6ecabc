"""`calendly-mcp token create|list|revoke`: tokens of the hosted endpoint for agents without a browser."""

import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import anyio

from auth.access.levels import LOCAL
from auth.access.text import InvalidAccess, parse_access
from auth.endpoints import agent_tokens
from auth.endpoints.site import Realm
from auth.protocol.scopes import BUNDLES, spell
from server.app import rules
from server.calls.selection import select
from server.commands.http import PORT
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError, UsageError, say
from server.hosted.hosting import document_fetcher, realm_for
from server.stores.database import open_store
from storage.errors import StorageError
from tools import ALL


def run(arguments: CommandLine) -> int:
    """Do what was asked for. Returns the exit status."""
    settings = load("token", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    sys.stdout.write(anyio.run(partial(_act, settings, _ACTIONS[arguments.action], arguments.options)))
    sys.stdout.flush()
    return 0


_Options = Mapping[str, str]
_Action = Callable[[Realm, _Options], Awaitable[str]]


async def _act(settings: Settings, action: _Action, options: _Options) -> str:
    async with opened_realm(settings) as realm:
        try:
            return await action(realm, options)
        except (agent_tokens.AgentTokenError, StorageError) as fault:
            raise CommandError(str(fault)) from None


@asynccontextmanager
async def opened_realm(settings: Settings) -> AsyncGenerator[Realm]:
    """Open what the hosted endpoint of these settings works with. Raises UsageError and CommandError."""
    shown = f"[{settings.host}]" if ":" in settings.host else settings.host
    issuer = settings.public_url or f"http://{shown}:{settings.port or PORT}"
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        selection = select(ALL, rules(settings, settings.hosted_ceiling, limited_to=settings.scopes))
        yield realm_for(settings, issuer, selection, store, document_fetcher(settings))


async def _create(realm: Realm, options: _Options) -> str:
    named = options["scopes"].replace(",", " ").split()
    scopes = {scope for name in named for scope in BUNDLES.get(name, (name,))}
    try:
        access = parse_access(options["access"]) if "access" in options else LOCAL
    except InvalidAccess as fault:
        raise UsageError(f"--access: {fault}") from None
    made = await agent_tokens.create(
        realm, name=options["for"], person=options.get("user"), scopes=scopes, access=access
    )
    say(f"For {realm.resource} until {made.expires_at:%Y-%m-%d}; shown this once. To end it: token revoke {made.id}")
    return f"{made.secret}\n"


async def _list(realm: Realm, _options: _Options) -> str:
    rows = [
        (token.id, token.name, token.email or token.person, f"{token.expires_at:%Y-%m-%d}", spell(token.scopes))
        for token in await agent_tokens.list_all(realm)
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


async def _revoke(realm: Realm, options: _Options) -> str:
    await agent_tokens.revoke(realm, options["id"])
    return "Revoked.\n"


_ACTIONS: Final[Mapping[str, _Action]] = {"create": _create, "list": _list, "revoke": _revoke}
