"""`calendly-mcp login`: sign in at Calendly by browser, for a server on this machine."""

import sys
from functools import partial

import anyio

from auth.local.login_store import LocalLogin
from auth.upstream.login import CalendlyLoginError
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError
from server.local.login import sign_in


def run(arguments: CommandLine) -> int:
    """Sign in, and keep the sign-in. Returns the exit status."""
    settings = load("login", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    login = anyio.run(partial(_login, settings))
    _say(f"Signed in as {login.person.name or login.person.uri}. `calendly-mcp` now works without a token.")
    return 0


async def _login(settings: Settings) -> LocalLogin:
    try:
        return await sign_in(settings, _show).login(settings.redirect_port, settings.scopes)
    except CalendlyLoginError as refused:
        raise CommandError(refused.reason) from None


def _show(url: str) -> None:
    _say(f"Sign in at Calendly, in the browser that opens or at this address:\n\n  {url}\n")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
