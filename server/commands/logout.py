"""`calendly-mcp logout`: end the sign-in of this machine."""

import sys
from functools import partial

import anyio

from auth.local_login import logout
from auth.login_store import LocalLogin
from auth.upstream import CalendlyLoginError
from server.cli import Arguments
from server.local_login import login_store, upstream
from server.logs import log_to_stderr
from server.settings import Settings, load
from server.terminal import CommandError


def run(arguments: Arguments) -> int:
    """Revoke the sign-in at Calendly and forget it. Returns the exit status."""
    settings = load("logout", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    login = anyio.run(partial(_logout, settings))
    sys.stdout.write("Nobody was signed in.\n" if login is None else f"Signed out {login.person.name or 'you'}.\n")
    sys.stdout.flush()
    return 0


async def _logout(settings: Settings) -> LocalLogin | None:
    try:
        return await logout(login_store(settings), partial(upstream, settings))
    except CalendlyLoginError as refused:
        raise CommandError(refused.reason) from None
