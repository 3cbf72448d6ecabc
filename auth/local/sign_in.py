"""`calendly-mcp login` and `logout`: the browser flow for a server on this machine (RFC 8252), without a hosted one.

A listener on loopback, state and PKCE, a browser opened without a shell, one answer, and the login is stored.
"""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from auth.local.listener import AuthorizationAnswer, listening
from auth.local.login_store import LocalLogin, LoginStore
from auth.protocol.secrets import Random, nonce
from auth.upstream.application import Application
from auth.upstream.connection import signed_in
from auth.upstream.login import CalendlyLoginError, LoginRefused, LoginUnavailable, SignIn, Upstream, revoke_quietly

# The program, and what it is told, to show an address in the person's browser. None of them is a shell.
_BROWSERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"darwin": ("open",), "win32": ("rundll32", "url.dll,FileProtocolHandler")}
)
_DESKTOP: Final = ("xdg-open",)

PATIENCE: Final = 300.0
"""Seconds that a person has to sign in."""


@dataclass(frozen=True)
class LocalSignIn:
    """How to sign in on this machine.

    Args:
        store: Where the login goes.
        applications: Gives our application for a redirect URI, registering one where none is configured.
        upstream: Gives Calendly's authorization server for an application and a redirect URI.
        show: Tells the person the address to open.
        open_browser: Opens it, or does not.
        now: The wall clock.
        random: Makes state and verifier.
        patience: Seconds that the person has.
    """

    store: LoginStore
    applications: Callable[[str], Awaitable[Application]]
    upstream: Callable[[Application, str], Upstream]
    show: Callable[[str], None]
    open_browser: Callable[[str], object]
    now: Callable[[], datetime]
    random: Random = field(repr=False)
    patience: float = PATIENCE

    async def login(self, port: int, scopes: Iterable[str]) -> LocalLogin:
        """Sign in and keep the login.

        Args:
            port: Of the listener; `http://localhost:PORT/callback` is what the application has registered.
            scopes: What to ask for.

        Raises:
            CalendlyLoginError: It did not come to that; the message says why.
        """
        state, verifier = nonce(self.random), nonce(self.random)
        async with listening(port, state) as callback:
            application = await self.applications(callback.redirect_uri)
            upstream = self.upstream(application, callback.redirect_uri)
            url = await upstream.authorization_url(state=state, verifier=verifier, scopes=scopes)
            self.show(url)
            self.open_browser(url)
            code = await self._code(callback.answer())
        return await self._keep(
            await upstream.sign_in(code=code, verifier=verifier), application, callback.redirect_uri
        )

    async def _code(self, waiting: Awaitable[AuthorizationAnswer]) -> str:
        try:
            async with asyncio.timeout(self.patience):
                answer = await waiting
        except TimeoutError:
            raise LoginUnavailable("Nobody signed in within the time; nothing was stored.") from None
        if answer.code is None:
            raise LoginRefused("The sign-in was declined at Calendly; nothing was stored.", code=answer.error)
        return answer.code

    async def _keep(self, sign_in: SignIn, application: Application, redirect_uri: str) -> LocalLogin:
        tokens, person = sign_in.tokens, sign_in.person
        async with self.store.alone():
            before = await self._before()
            login = LocalLogin(
                person=person,
                application=application,
                redirect_uri=redirect_uri,
                connection=signed_in(before.connection if before else None, person.uri, tokens, self.now()),
                access_token=tokens.access_token,
                refresh_token=tokens.refresh_token,
            )
            await self.store.write(login)
        return login

    async def _before(self) -> LocalLogin | None:
        try:
            return await self.store.read()
        except CalendlyLoginError:
            return None  # signing in is what mends it


async def logout(store: LoginStore, upstream: Callable[[Application, str], Upstream]) -> LocalLogin | None:
    """Revoke the login at Calendly and drop it, whatever Calendly answers.

    Returns:
        What was dropped, None when nobody was signed in.

    Raises:
        LoginRefused: What was stored cannot be read. It is dropped all the same, but Calendly cannot be told.
        LoginUnavailable: The store cannot be changed.
    """
    async with store.alone():
        try:
            login = await store.read()
            if login is not None:
                await revoke_quietly(upstream(login.application, login.redirect_uri), login.tokens)
        finally:
            await store.delete()
    return login


def browser_command(platform: str = sys.platform) -> tuple[str, ...]:
    """Return the program that shows an address, to be given as its last argument."""
    return _BROWSERS.get(platform, _DESKTOP)


def open_browser(url: str, command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """Have a program show an address, and do not wait for it; None where there is no such program."""
    quiet = subprocess.DEVNULL
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; the address is one argument
            [*command, url], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError:
        return None
