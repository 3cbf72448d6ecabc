"""`calendly-mcp login` and `logout`: the sign-in by browser for a server on this machine (RFC 8252).

It listens on loopback, opens a browser without a shell, takes one answer, and stores the login.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

from auth.local.listener import Callback, listening
from auth.local.login_store import LocalLogin, LoginStore
from auth.protocol.secrets import Random, nonce
from auth.upstream.application import Application
from auth.upstream.connection import signed_in
from auth.upstream.login import CalendlyLoginError, LoginRefused, LoginUnavailable, SignIn, Upstream, revoke_quietly

# The program and its arguments that show an address in the person's browser. None of them is a shell.
_BROWSERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"darwin": ("open",), "win32": ("rundll32", "url.dll,FileProtocolHandler")}
)
_DESKTOP: Final = ("xdg-open",)

PATIENCE: Final = 300.0
"""How long a person has to sign in, in seconds."""


@dataclass(frozen=True)
class LocalSignIn:
    """How to sign in on this machine.

    Attributes:
        store: Where the login is stored.
        applications: Gives our application for a redirect URI, and registers one where none is configured.
        upstream: Gives Calendly's authorization server for an application and a redirect URI.
        show: Shows the person the address to open.
        issuers: What Calendly may call itself in its answer.
        open_browser: Opens it, where there is a browser.
        pasted: Gives what the person pastes, line by line: their browser may be on another machine.
        issuer: Where the application registers itself, None where one is configured.
        now: The wall clock.
        random: Makes state and verifier.
        patience: How long the person has, in seconds.
    """

    store: LoginStore
    applications: Callable[[str], Awaitable[Application]]
    upstream: Callable[[Application, str], Upstream]
    show: Callable[[str], None]
    issuers: frozenset[str]
    open_browser: Callable[[str], object]
    now: Callable[[], datetime]
    random: Random = field(repr=False)
    patience: float = PATIENCE
    pasted: Callable[[], AsyncIterator[str]] | None = None
    issuer: str | None = None

    async def login(self, port: int, scopes: Iterable[str]) -> LocalLogin:
        """Sign in and store the login.

        Args:
            port: Of the listener; the application has `http://localhost:PORT/callback` registered.
            scopes: What to ask for.

        Raises:
            CalendlyLoginError: Nothing was stored; the message says why.
        """
        state, verifier = nonce(self.random), nonce(self.random)
        async with listening(port, state, self.issuers) as callback:
            before = await self._before()
            application = self._reused(before, callback.redirect_uri) or await self.applications(callback.redirect_uri)
            upstream = self.upstream(application, callback.redirect_uri)
            url = await upstream.authorization_url(state=state, verifier=verifier, scopes=scopes)
            self.show(url)
            self.open_browser(url)
            code = await self._code(callback)
        return await self._keep(
            await upstream.sign_in(code=code, verifier=verifier), application, callback.redirect_uri
        )

    def _reused(self, before: LocalLogin | None, redirect_uri: str) -> Application | None:
        """Return the application that registered itself for the last sign-in, None where that was another one."""
        known = self.issuer is not None and before is not None and before.issuer == self.issuer
        return before.application if known and before and before.redirect_uri == redirect_uri else None

    async def _code(self, callback: Callback) -> str:
        pasting = asyncio.ensure_future(self._paste(callback))
        try:
            async with asyncio.timeout(self.patience):
                answer = await callback.answer()
        except TimeoutError:
            raise LoginUnavailable(
                "Nobody signed in within the time; nothing was stored. If Calendly said that it does not know the "
                "client, run `calendly-mcp logout`, and then sign in again."
            ) from None
        finally:
            pasting.cancel()
        if answer.code is None:
            raise LoginRefused("The sign-in was declined at Calendly; nothing was stored.", code=answer.error)
        return answer.code

    async def _paste(self, callback: Callback) -> None:
        """Take the answer that the person pastes in the browser's place."""
        if self.pasted is None:
            return
        async for line in self.pasted():
            if not callback.paste(line):
                self.show("This is no answer to the sign-in that waits here. Paste the whole address of the last page.")

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
                issuer=self.issuer,
            )
            await self.store.write(login)
        return login

    async def _before(self) -> LocalLogin | None:
        try:
            return await self.store.read()
        except CalendlyLoginError:
            return None  # signing in is what mends it


async def logout(store: LoginStore, upstream: Callable[[Application, str], Upstream]) -> LocalLogin | None:
    """Revoke the login at Calendly and delete it, whatever Calendly answers.

    Returns:
        What was deleted, None when nobody was signed in.

    Raises:
        LoginRefused: What was stored cannot be read. It is deleted, but Calendly cannot be told.
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
    """Return the program that shows an address, which is its last argument."""
    return _BROWSERS.get(platform, _DESKTOP)


def open_browser(url: str, command: Sequence[str]) -> subprocess.Popen[bytes] | None:
    """Start a program that shows an address; None where there is no such program."""
    quiet = subprocess.DEVNULL
    try:
        return subprocess.Popen(  # noqa: S603 - no shell; the address is one argument
            [*command, url], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
        )
    except OSError:
        return None
