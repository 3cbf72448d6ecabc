"""`calendly-mcp access explain TOOL [--client ID]`: what a call would meet, without calling."""

import sys
from contextlib import AsyncExitStack
from difflib import get_close_matches
from functools import partial
from typing import Final

import anyio

from auth.access.levels import Limits
from auth.grants.principal import Principal
from auth.grants.principal_rows import find_agents
from auth.local.personal_token import PersonalToken
from auth.protocol.scopes import least
from calendly.request import Account
from calendly.third_party_text import shown
from server.app import rules
from server.calls.explanation import Agent, explain
from server.calls.principal import Party
from server.calls.selection import select
from server.commands.token import opened_realm
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError, UsageError
from server.configuration.values import MEMORY
from server.hosted.hosting import hosted_selection
from server.hosted.principals import SignedIn
from server.local.principals import local_party
from storage.errors import StorageError
from tools import ALL
from tools.toolset.tool import Tool

_MOST_NAMED: Final = 10


def run(arguments: CommandLine) -> int:
    """Explain. Returns the exit status."""
    settings = load("access", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    tool, client = _tool(arguments.options["tool"]), arguments.options.get("client")
    explaining = partial(_here, settings, tool) if client is None else partial(_hosted, settings, tool, client)
    sys.stdout.write(anyio.run(explaining))
    sys.stdout.flush()
    return 0


def _tool(name: str) -> Tool:
    names = [tool.name for tool in ALL]
    if name not in names:
        close = get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]}?" if close else "`calendly-mcp tools` lists what there is."
        raise UsageError(f'There is no tool "{name[:60]}"; {hint}')
    return ALL[names.index(name)]


async def _here(settings: Settings, tool: Tool) -> str:
    selection = select(ALL, rules(settings, settings.local_ceiling))
    async with AsyncExitStack() as stack:
        try:
            party = await local_party(settings, stack)
        except UsageError:  # nobody has a token or signed in here yet: what it will cover is not known
            account = Account("", "", PersonalToken(""))
            party = Party(account=account, limits=Limits(ceiling=settings.local_ceiling))
        return explain(tool, Agent("whichever connects on this machine (stdio, http --auth none)", party), selection)


async def _hosted(settings: Settings, tool: Tool, name: str) -> str:
    if settings.database_url == MEMORY:
        raise UsageError(f"--client: {MEMORY} is memory, in which nobody has let in an agent.")
    selection = hosted_selection(settings)
    async with opened_realm(settings, selection) as realm:
        try:
            async with realm.database.read() as connection:
                found = await find_agents(connection, name)
                others = [] if found else await find_agents(connection, None)
        except StorageError as fault:
            raise CommandError(str(fault)) from None
        if len(found) != 1:
            raise CommandError(_unclear(name, [_shown(one) for one in found or others], is_there=bool(found)))
        principal = found[0].limited_to(least(found[0].scopes, realm.offered))
        parties = SignedIn(realm.connections, realm.ceiling, realm.issuer, registered_itself=settings.client_id is None)
        return explain(tool, Agent(_shown(principal), parties.of_principal(principal)), selection)


def _shown(principal: Principal) -> str:
    name = shown(principal.client_name or "") or "an agent without a name"
    return f"{name} (grant {principal.grant_id}, client {principal.client_id}), for {principal.person}"


def _unclear(name: str, agents: list[str], *, is_there: bool) -> str:
    """Say that no agent or several go by a name, and which ones there are."""
    if not agents:
        return "Nobody has let in an agent at this endpoint yet."
    named = "; ".join(agents[:_MOST_NAMED])
    more = f"; and {len(agents) - _MOST_NAMED} more" if len(agents) > _MOST_NAMED else ""
    problem = "Several agents have the id" if is_there else "No agent has the id"
    return f'{problem} "{shown(name)[:60]}" here; name one by its grant: {named}{more}.'
