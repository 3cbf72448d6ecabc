"""`calendly-mcp login`."""

from functools import partial
from typing import Final

import anyio

from auth.local.login_store import LocalLogin
from auth.protocol.scopes import Scopes, least
from auth.upstream.login import CalendlyLoginError
from server.app import rules
from server.calls.selection import select
from server.commands.declaring import Command, Invocation
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.terminal import reporting, show
from server.local.login import sign_in
from tools import ALL


def run(invocation: Invocation) -> int:
    """Sign in, and keep the sign-in."""
    login = anyio.run(partial(_login, invocation.settings()))
    who = login.person.name or login.person.uri
    show(as_typed(f"Signed in as {who}. `calendly-mcp` now works without a token."))
    return 0


async def _login(settings: Settings) -> LocalLogin:
    with reporting(CalendlyLoginError):
        return await sign_in(settings, _show).login(settings.redirect_port, _wanted(settings))


def _wanted(settings: Settings) -> Scopes:
    """Return the scopes of the tools that are on, as far as the application may ask for them."""
    selected = select(ALL, rules(settings, settings.local_ceiling)).listed
    return least(settings.scopes, {endpoint.scope for tool in selected for endpoint in tool.calls})


def _show(url: str) -> None:
    show(f"Sign in at Calendly, in the browser that opens or at this address:\n\n  {url}\n")


COMMAND: Final = Command(run)
