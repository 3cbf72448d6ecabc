"""`calendly-mcp token create|list|revoke`."""

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final, cast

import anyio

from auth.access.levels import LOCAL, Access, Limits
from auth.access.text import InvalidAccess, parse_access, spell_access
from auth.endpoints import agent_tokens
from auth.endpoints.site import Site
from auth.grants.agent_token_rows import AgentToken
from auth.protocol.scopes import BUNDLES, spell
from calendly.request import Account, PersonalToken
from calendly.scopes import includes
from server.calls.principal import Principal
from server.calls.selection import Selection
from server.commands.declaring import SWITCH, Action, Command, Invocation, Run
from server.configuration.hints import as_typed
from server.configuration.settings import HTTP_PORT, Settings
from server.configuration.terminal import PROGRAM, UsageError, columns, reporting, say, show
from server.configuration.values import http_address, read_scopes
from server.hosted.hosting import hosted_selection
from server.hosted.site import document_fetcher, site_for
from server.stores.database import open_store, require_database
from storage.errors import StorageError
from tools import ALL

_DAYS: Final = re.compile(r"(\d{1,5})d?", re.ASCII)
_LONGEST: Final = timedelta(days=3650)
_HEADING: Final = ("id", "agent", "person", "address", "created", "expires", "last used", "scopes", "levels")
_NO_TOKENS: Final = f"There are no valid tokens. `{PROGRAM} token create` makes one."

_Options = Mapping[str, str]
_Work = Callable[[Site], Awaitable[str]]


def _running(read: Callable[[_Options], _Work]) -> Run:
    """Return what runs an action; `read` reads its options before the database is opened."""

    async def act(settings: Settings, work: _Work) -> str:
        async with opened_site(settings, hosted_selection(settings)) as site:
            with reporting(agent_tokens.AgentTokenError, StorageError):
                return await work(site)

    def run(invocation: Invocation) -> int:
        text = anyio.run(partial(act, invocation.settings(), read(invocation.options)))
        if text:
            show(text)
        return 0

    return run


@asynccontextmanager
async def opened_site(settings: Settings, selection: Selection) -> AsyncGenerator[Site]:
    """Open the hosted endpoint's site with these settings and tools.

    Raises CommandError, also where there is no database yet: a mistyped one is not made.
    """
    require_database(settings)
    issuer = settings.public_url or http_address(settings.host, settings.port or HTTP_PORT)
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        site = site_for(settings, issuer, selection, store, document_fetcher(settings))
        stack.push_async_callback(site.departures.finish)
        yield site


def _create(options: _Options) -> _Work:
    named = [scope for name in options["scopes"].replace(",", " ").split() for scope in BUNDLES.get(name, (name,))]
    try:
        scopes = cast("frozenset[str]", read_scopes(" ".join(named)))
    except ValueError as fault:
        raise UsageError(f"--scopes: {fault}") from None
    try:
        access = parse_access(options["access"]) if "access" in options else LOCAL
    except InvalidAccess as fault:
        raise UsageError(f"--access: {fault}") from None
    life = _life(options["expires"], datetime.now(UTC)) if "expires" in options else agent_tokens.LIFE
    wanted = _WantedToken(options["for"], options.get("user"), scopes, access, life)
    return partial(_created, wanted)


@dataclass(frozen=True, slots=True)
class _WantedToken:
    """The token that was asked for: its agent, its person, its scopes and levels, and how long it is valid."""

    name: str
    person: str | None
    scopes: frozenset[str]
    access: Access
    life: timedelta


def _life(text: str, now: datetime) -> timedelta:
    """Read how long a token is valid: a number of days, or the day on which it ends. Raises UsageError."""
    days = _DAYS.fullmatch(text)
    try:
        life = timedelta(int(days[1])) if days else _with_zone(datetime.fromisoformat(text)) - now
    except (ValueError, OverflowError):
        raise UsageError("--expires: must be a number of days, such as 90d, or a day, such as 2027-06-30.") from None
    if not timedelta() < life <= _LONGEST:
        raise UsageError(f"--expires: must be in the future, and at most {_LONGEST.days} days away.")
    return life


def _with_zone(time: datetime) -> datetime:
    return time if time.tzinfo else time.replace(tzinfo=UTC)


async def _created(wanted: _WantedToken, site: Site) -> str:
    limits = Limits(ceiling=site.ceiling, chosen=wanted.access, scopes=wanted.scopes, chosen_by="operator")
    able = Principal(account=Account("", "", PersonalToken("")), limits=limits)
    if includes(site.offered, wanted.scopes) and not any(map(able.sees, ALL)):
        raise UsageError("with these scopes and levels the token could do nothing: no tool is left for it.")
    made = await agent_tokens.create(
        site, name=wanted.name, person=wanted.person, scopes=wanted.scopes, access=wanted.access, life=wanted.life
    )
    ended = as_typed(f"`{PROGRAM} token revoke {made.id}` ends it")
    say(f"For {site.resource} until {made.expires_at:%Y-%m-%d}; shown this once. {ended}.")
    return made.secret


def _list(options: _Options) -> _Work:
    return partial(_listed, as_json="json" in options)


async def _listed(site: Site, *, as_json: bool) -> str:
    tokens = await agent_tokens.list_all(site)
    if as_json:
        return json.dumps([_facts(token) for token in tokens], ensure_ascii=False, indent=2)
    rows = [
        (
            token.id,
            token.name,
            token.email or token.person,
            token.resource,
            f"{token.created_at:%Y-%m-%d}",
            f"{token.expires_at:%Y-%m-%d}",
            f"{token.used_at:%Y-%m-%d}" if token.used_at else "never",
            spell(token.scopes),
            spell_access(token.access),
        )
        for token in tokens
    ]
    return columns([_HEADING, *rows]) if rows else as_typed(_NO_TOKENS)


def _facts(token: AgentToken) -> dict[str, object]:
    """Return a token as JSON, without its secret."""
    return {
        "id": token.id,
        "name": token.name,
        "person": token.person,
        "email": token.email,
        "address": token.resource,
        "scopes": sorted(token.scopes),
        "access": spell_access(token.access),
        "created_at": token.created_at.isoformat(),
        "expires_at": token.expires_at.isoformat(),
        "last_used_at": token.used_at.isoformat() if token.used_at else None,
    }


async def _revoked(site: Site, token: str) -> str:
    await agent_tokens.revoke(site, token)
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
                "--expires": {
                    "metavar": "WHEN",
                    "help": f"days from now, such as 90d, or a day (default: {agent_tokens.LIFE.days}d)",
                },
                "--user": {
                    "metavar": "WHO",
                    "help": "the person it acts for, by e-mail or URI, if several people have connected",
                },
            },
        ),
        "list": Action("list the valid tokens", _running(_list), {"--json": {**SWITCH, "help": "as JSON"}}),
        "revoke": Action(
            "end a token at once",
            _running(lambda options: partial(_revoked, token=options["id"])),
            {"id": {"metavar": "ID", "help": "the token's id in the list"}},
        ),
    }
)
