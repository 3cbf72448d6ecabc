"""`calendly-mcp logout`."""

from functools import partial
from typing import Final

import anyio

from auth.local.login_store import LocalLogin
from auth.local.sign_in import logout
from auth.upstream.login import CalendlyLoginError
from server.commands.declaring import Command, Invocation
from server.configuration.settings import Settings
from server.configuration.terminal import reporting, show
from server.local.login import login_store, upstream


def run(invocation: Invocation) -> int:
    """Revoke the sign-in at Calendly and forget it."""
    login = anyio.run(partial(_logout, invocation.settings()))
    show("Nobody was signed in." if login is None else f"Signed out {login.person.name or 'you'}.")
    return 0


async def _logout(settings: Settings) -> LocalLogin | None:
    with reporting(CalendlyLoginError):
        return await logout(login_store(settings), partial(upstream, settings))


COMMAND: Final = Command(run)
