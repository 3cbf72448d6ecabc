"""`calendly-mcp access explain TOOL [--client ID]`."""

from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import anyio

from auth.access.levels import Limits
from auth.grants.bearer import Bearer
from auth.grants.bearer_rows import find_agents
from auth.protocol.scopes import least
from calendly.request import Account, PersonalToken
from calendly.third_party_text import shown
from server.app import rules
from server.calls.explanation import ExplainedAgent, explain
from server.calls.principal import Principal
from server.calls.selection import select
from server.commands.declaring import Action, Command, Invocation
from server.commands.token import opened_site
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError, UsageError, reporting, show, suggestion
from server.configuration.values import MEMORY
from server.hosted.hosting import hosted_selection
from server.hosted.principals import SignedIn
from server.local.principals import local_principal
from storage.errors import StorageError
from tools import ALL
from tools.toolset.tool import Tool

_MOST_NAMED: Final = 10


def run(invocation: Invocation) -> int:
    """Explain what a call would meet, without calling."""
    settings = invocation.settings()
    tool, client = _tool(invocation.options["tool"]), invocation.options.get("client")
    explaining = partial(_here, settings, tool) if client is None else partial(_hosted, settings, tool, client)
    show(anyio.run(explaining), end="")
    return 0


def _tool(name: str) -> Tool:
    tools = {tool.name: tool for tool in ALL}
    if name not in tools:
        hint = suggestion(name, tools) or "`calendly-mcp tools` lists them all."
        raise UsageError(f'There is no tool "{name[:60]}"; {hint}')
    return tools[name]


async def _here(settings: Settings, tool: Tool) -> str:
    selection = select(ALL, rules(settings, settings.local_ceiling))
    async with AsyncExitStack() as stack:
        try:
            principal = await local_principal(settings, stack)
        except UsageError:  # there is no token and no sign-in yet, so what either will cover is not known
            account = Account("", "", PersonalToken(""))
            principal = Principal(account=account, limits=Limits(ceiling=settings.local_ceiling))
        return explain(
            tool, ExplainedAgent("whichever connects on this machine (stdio, http --auth none)", principal), selection
        )


async def _hosted(settings: Settings, tool: Tool, name: str) -> str:
    if settings.database_url == MEMORY:
        raise UsageError(f"--client: {MEMORY} is memory, where nobody has allowed an agent anything.")
    selection = hosted_selection(settings)
    async with opened_site(settings, selection) as site:
        with reporting(StorageError):
            found = await find_agents(site.database, site.keyring, name)
            others = [] if found else await find_agents(site.database, site.keyring, None)
        if len(found) != 1:
            raise CommandError(_unclear(name, [_shown(one) for one in found or others], is_there=bool(found)))
        bearer = found[0].limited_to(least(found[0].scopes, site.offered))
        principals = SignedIn.at(site, settings)
        return explain(tool, ExplainedAgent(_shown(bearer), principals.known_as(bearer)), selection)


def _shown(bearer: Bearer) -> str:
    name = shown(bearer.client_name or "") or "an agent without a name"
    return f"{name} (grant {bearer.grant_id}, client {bearer.client_id}), for {bearer.person}"


def _unclear(name: str, agents: list[str], *, is_there: bool) -> str:
    """Say that no agent or several have an id, and list the agents there are."""
    if not agents:
        return "Nobody has connected an agent to this endpoint yet."
    named = "; ".join(agents[:_MOST_NAMED])
    more = f"; and {len(agents) - _MOST_NAMED} more" if len(agents) > _MOST_NAMED else ""
    problem = "Several agents have the id" if is_there else "No agent has the id"
    return f'{problem} "{shown(name)[:60]}" here; name one by its grant: {named}{more}.'


COMMAND: Final = Command(
    actions={
        "explain": Action(
            "say what a call of a tool would meet, without calling it",
            run,
            {
                "tool": {"metavar": "TOOL", "help": "the tool's name"},
                "--client": {
                    "metavar": "ID",
                    "help": "an agent of the hosted endpoint, by the id of its client or of its grant "
                    "(default: the agent of this machine)",
                },
            },
        )
    }
)
