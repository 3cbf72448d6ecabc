"""`calendly-mcp whoami`: whose token or sign-in it is."""

import asyncio
import sys
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial

import anyio

from calendly import models
from calendly.errors import CalendlyError, InsufficientScope, Unauthenticated, Unreachable
from server.app import calendly_for
from server.calls.caller import LEAST_LIMIT, ME, user_in
from server.calls.principal import Principal
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError
from server.local.principals import local_principal


def run(arguments: CommandLine) -> int:
    """Print who the token belongs to. Returns the exit status."""
    settings = load("whoami", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    sys.stdout.write(_told(*anyio.run(partial(_ask, settings))))
    sys.stdout.flush()
    return 0


async def _ask(settings: Settings) -> tuple[models.User, Principal]:
    async with AsyncExitStack() as stack:
        principal = await local_principal(settings, stack)
        account = replace(principal.account, agent="whoami")
        deadline = asyncio.get_running_loop().time() + LEAST_LIMIT
        try:
            return user_in(await calendly_for(settings, stack)().send(ME, account, deadline=deadline)), principal
        except CalendlyError as refused:
            raise CommandError(f"{refused}{_help(refused, settings.api_url)}") from None


def _help(refused: CalendlyError, asked: str) -> str:
    """Say what the person at the terminal can do; `asked` is where Calendly was looked for."""
    if isinstance(refused, InsufficientScope):
        return f" The token works, but whoami needs the scope {' '.join(refused.required_scopes)}."
    if isinstance(refused, Unauthenticated) and refused.status is not None:
        return (
            ". Make a new token in Calendly (Integrations & apps > API and webhooks), or sign in with "
            "`calendly-mcp login`."
        )
    if isinstance(refused, Unreachable):
        return f" It was asked at {asked}: see to the network, and to the proxy if there is one."
    return ""


def _told(user: models.User, principal: Principal) -> str:
    unknown = "not known: Calendly tells a personal token's scopes only by refusing what they do not cover"
    rows = {
        "person": f"{user.get('name')} <{user.get('email')}>",
        "user": user.get("uri"),
        "organization": user.get("current_organization"),
        "zone": user.get("timezone"),
        "scopes": unknown if principal.limits.granted is None else " ".join(sorted(principal.limits.granted)),
    }
    return "".join(f"{name:<14}{value}\n" for name, value in rows.items() if value)
