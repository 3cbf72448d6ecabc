"""`calendly-mcp whoami`."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from typing import Final

import anyio

from calendly import models
from calendly.errors import CalendlyError, InsufficientScope, Unauthenticated, Unreachable
from server.app import calendly_for
from server.calls.caller import LEAST_LIMIT
from server.calls.identities import ME, user_in
from server.calls.principal import Principal
from server.commands.declaring import Command, Invocation
from server.configuration.settings import Settings
from server.configuration.surroundings import proxy_told
from server.configuration.terminal import CommandError, show
from server.local.principals import local_principal


def run(invocation: Invocation) -> int:
    """Show who the token or the sign-in belongs to."""
    show(_told(*anyio.run(partial(_ask, invocation.settings()))), end="")
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
    """Say what the person at the terminal can do; `asked` is the address of Calendly."""
    if isinstance(refused, InsufficientScope):
        return f" The token works, but whoami needs the scope {' '.join(refused.required_scopes)}."
    if isinstance(refused, Unauthenticated) and refused.status is not None:
        return (
            ". Make a new token in Calendly (Integrations & apps > API and webhooks), or sign in with "
            "`calendly-mcp login`."
        )
    if isinstance(refused, Unreachable):
        return f" The address is {asked}: check the network, and the proxy if there is one.{proxy_told(asked)}"
    return ""


def _told(user: models.User, principal: Principal) -> str:
    unknown = "not known: Calendly shows a personal token's scopes only by refusing what they do not cover"
    rows = {
        "person": f"{user.get('name')} <{user.get('email')}>",
        "user": user.get("uri"),
        "organization": user.get("current_organization"),
        "zone": user.get("timezone"),
        "scopes": unknown if principal.limits.granted is None else " ".join(sorted(principal.limits.granted)),
    }
    return "".join(f"{name:<14}{value}\n" for name, value in rows.items() if value)


COMMAND: Final = Command(run)
