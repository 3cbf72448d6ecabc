"""`calendly-mcp token create|list|revoke`."""

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
from server.commands.declaring import Action, Command, Invocation, Run
from server.configuration.settings import HTTP_PORT, Settings
from server.configuration.terminal import UsageError, columns, reporting, say, show
from server.configuration.values import http_address
from server.hosted.hosting import document_fetcher, realm_for
from server.stores.database import open_store
from storage.errors import StorageError
from tools import ALL

_Options = Mapping[str, str]
_Work = Callable[[Realm, _Options], Awaitable[str]]


def _running(work: _Work) -> Run:
    """Return what runs an action against the realm of the settings, and shows its result."""

    async def act(settings: Settings, options: _Options) -> str:
        async with opened_realm(settings) as realm:
            with reporting(agent_tokens.AgentTokenError, StorageError):
                return await work(realm, options)

    def run(invocation: Invocation) -> int:
        text = anyio.run(partial(act, invocation.settings(), invocation.options))
        if text:
            show(text)
        return 0

    return run


@asynccontextmanager
async def opened_realm(settings: Settings) -> AsyncGenerator[Realm]:
    """Open the realm of the hosted endpoint with these settings. Raises UsageError and CommandError."""
    issuer = settings.public_url or http_address(settings.host, settings.port or HTTP_PORT)
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
    return made.secret


async def _list(realm: Realm, _options: _Options) -> str:
    rows = [
        (token.id, token.name, token.email or token.person, f"{token.expires_at:%Y-%m-%d}", spell(token.scopes))
        for token in await agent_tokens.list_all(realm)
    ]
    return columns(rows)


async def _revoke(realm: Realm, options: _Options) -> str:
    await agent_tokens.revoke(realm, options["id"])
    return "Revoked."


COMMAND: Final = Command(
    actions={
        "create": Action(
            "make a token and show it, this once",
            _running(_create),
            {
                "--for": {"required": True, "metavar": "NAME", "help": "name of the agent"},
                "--scopes": {
                    "required": True,
                    "metavar": "SCOPES",
                    "help": "what the agent may do: Calendly's scopes, separated by commas",
                },
                "--access": {
                    "metavar": "LEVELS",
                    "help": "how far it goes with them: capability=off, read, ask or full, separated by commas "
                    "(default: all; what cannot be undone or reaches others, at ask)",
                },
                "--user": {
                    "metavar": "WHO",
                    "help": "the person it acts for, by e-mail or URI, if several people have connected",
                },
            },
        ),
        "list": Action("list the valid tokens", _running(_list)),
        "revoke": Action(
            "end a token at once", _running(_revoke), {"id": {"metavar": "ID", "help": "the token's id in the list"}}
        ),
    }
)
