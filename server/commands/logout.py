"""`calendly-mcp logout`: end the sign-in of this machine."""

import sys
from functools import partial

import anyio

from auth.local.login_store import LocalLogin
from auth.local.sign_in import logout
from auth.upstream.login import CalendlyLoginError
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError
from server.local.login import login_store, upstream


def run(arguments: CommandLine) -> int:
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
