"""`calendly-mcp token create|list|revoke`."""

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
from server.commands.declaring import Action, Command, Invocation, Run
from server.configuration.settings import HTTP_PORT, Settings
from server.configuration.terminal import UsageError, columns, reporting, say, show
from server.configuration.values import http_address
from server.hosted.hosting import document_fetcher, hosted_selection, realm_for
from server.stores.database import open_store
from storage.errors import StorageError

_Options = Mapping[str, str]
_Work = Callable[[Realm], Awaitable[str]]


def _running(read: Callable[[_Options], _Work]) -> Run:
    """Return what runs an action; `read` reads its options before the database is opened."""

    async def act(settings: Settings, work: _Work) -> str:
        async with opened_realm(settings, hosted_selection(settings)) as realm:
            with reporting(agent_tokens.AgentTokenError, StorageError):
                return await work(realm)

    def run(invocation: Invocation) -> int:
        text = anyio.run(partial(act, invocation.settings(), read(invocation.options)))
        if text:
            show(text)
        return 0

    return run


@asynccontextmanager
async def opened_realm(settings: Settings, selection: Selection) -> AsyncGenerator[Realm]:
    """Open the realm of the hosted endpoint with these settings and tools. Raises CommandError."""
    issuer = settings.public_url or http_address(settings.host, settings.port or HTTP_PORT)
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        yield realm_for(settings, issuer, selection, store, document_fetcher(settings))


def _create(options: _Options) -> _Work:
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
    return made.secret


async def _listed(realm: Realm) -> str:
    rows = [
        (token.id, token.name, token.email or token.person, f"{token.expires_at:%Y-%m-%d}", spell(token.scopes))
        for token in await agent_tokens.list_all(realm)
    ]
    return columns(rows)


async def _revoked(realm: Realm, token: str) -> str:
    await agent_tokens.revoke(realm, token)
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
        "list": Action("list the valid tokens", _running(lambda _: _listed)),
        "revoke": Action(
            "end a token at once",
            _running(lambda options: partial(_revoked, token=options["id"])),
            {"id": {"metavar": "ID", "help": "the token's id in the list"}},
        ),
    }
)
