"""`calendly-mcp login`."""

from collections.abc import AsyncGenerator
from functools import partial
from math import inf
from typing import Final, cast

import anyio

from auth.local.login_store import LocalLogin
from auth.protocol.scopes import Scopes, least
from auth.upstream.login import CalendlyLoginError, LoginUnavailable, LoginUnreachable
from calendly.scopes import includes
from server.app import rules
from server.calls.selection import select
from server.commands.declaring import Command, Invocation
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.surroundings import proxy_told
from server.configuration.terminal import CommandError, UsageError, reporting, show
from server.configuration.values import read_scopes
from server.local.login import sign_in
from server.transports.stdio import STDIN, reading
from tools import ALL


def run(invocation: Invocation) -> int:
    """Sign in, and keep the sign-in."""
    settings = invocation.settings()
    login = anyio.run(partial(_login, settings, _wanted(settings, invocation.options.get("scopes"))))
    who = login.person.name or login.person.uri
    show(as_typed(f"Signed in as {who}. `calendly-mcp` now works without a token."))
    return 0


async def _login(settings: Settings, scopes: Scopes) -> LocalLogin:
    with reporting(CalendlyLoginError):
        try:
            return await sign_in(settings, _show, _pasted).login(settings.redirect_port, scopes)
        except LoginUnreachable as fault:
            asked = settings.auth_url if settings.client_id else settings.issuer
            told = f"{fault} The address is {asked}: check the network, and the proxy if there is one."
            raise CommandError(f"{told}{proxy_told(asked)}") from None
        except LoginUnavailable as fault:
            raise CommandError(f"{fault}{proxy_told(settings.auth_url)}") from None


def _wanted(settings: Settings, named: str | None) -> Scopes:
    """Return the scopes to ask for: those that are named, else those of the tools that are on. Raises UsageError.

    An application may ask for what it is registered for alone.
    """
    if named is None:
        selected = select(ALL, rules(settings, settings.local_ceiling)).listed
        return least(settings.scopes, {each.scope for tool in selected for each in tool.takes})
    try:
        scopes = cast("frozenset[str]", read_scopes(named))
    except ValueError as fault:
        raise UsageError(f"--scopes: {fault}") from None
    if not scopes:
        raise UsageError("--scopes: name at least one, such as users:read.")
    if not includes(settings.scopes, scopes):
        beyond = ", ".join(sorted(scope for scope in scopes if not includes(settings.scopes, [scope])))
        raise UsageError(f"--scopes: the application is not registered for {beyond} (CALENDLY_SCOPES).")
    return scopes


def _show(text: str) -> None:
    if text.startswith("http"):
        show(f"Sign in at Calendly, in the browser that opens or at this address:\n\n  {text}\n")
        show("Waiting for the browser. If it is on another machine and cannot open the last page, paste the address")
        show("of that page here. Ctrl-C gives up.")
    else:
        show(text)


async def _pasted() -> AsyncGenerator[str]:
    """Give the lines that the person pastes."""
    into, lines = anyio.create_memory_object_stream[bytes](inf)
    with reading(STDIN, into):
        async for line in lines:
            yield line.decode(errors="replace")


COMMAND: Final = Command(
    run,
    {
        "--scopes": {
            "metavar": "SCOPES",
            "help": "what to ask Calendly for, by commas (default: what the tools that are on need)",
        }
    },
)
