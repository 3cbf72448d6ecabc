"""The local sign-in put together: where it is kept, who refreshes it, and the person it stands for."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from auth.access.levels import Limits
from auth.local.connection import REMEDY, LocalConnection
from auth.local.login_store import KeyringSilentError, LocalLogin, LoginStore, system_keyring
from auth.local.sign_in import LocalSignIn, browser_command, open_browser
from auth.upstream.application import Application, Configured
from auth.upstream.login import CalendlyLoginError, Upstream
from auth.upstream.refresher import Refresher
from auth.upstream.refusals import to_call
from calendly.errors import Unauthenticated
from calendly.identifiers import OrganizationId, UserId
from calendly.request import Account
from server.calls.next_steps import LOCAL_LOGIN, Advice, on_the_way
from server.calls.principal import Principal
from server.configuration.folders import home_folder
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.surroundings import proxy_told
from server.configuration.terminal import PROGRAM, CommandError, reporting, say
from tools.toolset.identity import Identity


def login_store(settings: Settings) -> LoginStore:
    """Return where the sign-in is kept. Raises CommandError for a person without a home."""
    return LoginStore(home_folder(settings), settings.api_url, system_keyring, asyncio.sleep, os.urandom)


def upstream(settings: Settings, application: Application, redirect_uri: str) -> Upstream:
    """Return Calendly's authorization server for a redirect URI of this machine."""
    from auth.upstream.calendly_login import CalendlyLogin  # noqa: PLC0415 - Authlib is loaded when Calendly is asked for tokens

    return CalendlyLogin(Configured(application), redirect_uri=redirect_uri, api_url=settings.api_url, now=_now)


def sign_in(settings: Settings, show: Callable[[str], None], pasted: Callable[[], AsyncIterator[str]]) -> LocalSignIn:
    """Return how to sign in; `show` shows the person the address to open, and `pasted` gives what they paste."""
    return LocalSignIn(
        store=login_store(settings),
        applications=_applications(settings),
        upstream=partial(upstream, settings),
        show=show,
        issuers=frozenset({settings.issuer, settings.auth_url}),
        open_browser=partial(open_browser, command=browser_command()),
        now=_now,
        random=os.urandom,
        pasted=pasted,
        issuer=settings.issuer if settings.client_id is None else None,
    )


async def signed_in_principal(settings: Settings, store: LoginStore, stack: AsyncExitStack) -> Principal | None:
    """Return who signed in on this machine, None when nobody did. Raises CommandError when it cannot be read."""
    with reporting(CalendlyLoginError):
        return await _read_principal(settings, store, stack)


@dataclass(eq=False)
class LateSignIn:
    """Whoever signed in, from a keyring that may answer later: `calendly.request.AccountCredentials` until it does.

    Attributes:
        settings: The person's.
        store: Where the sign-in is kept.
        stack: Ends with the server.
    """

    settings: Settings
    store: LoginStore
    stack: AsyncExitStack
    _known: Principal | None = field(default=None, init=False)

    async def look(self) -> bool:
        """Say whether somebody signed in, or the keyring has yet to say. Raises CommandError."""
        try:
            self._known = await _read_principal(self.settings, self.store, self.stack)
        except KeyringSilentError as silent:
            say(f"{PROGRAM}: {silent.reason} The server starts meanwhile, and its calls wait for the keyring.")
            return True
        except CalendlyLoginError as unreadable:
            raise CommandError(unreadable.reason) from None
        return self._known is not None

    def principal(self) -> Principal:
        """Return the person, with what is known of them."""
        unknown = Principal(
            account=Account("", "", self),
            limits=Limits(ceiling=self.settings.local_ceiling),
            advice=_advice(self.settings),
        )
        return self._known or unknown

    async def access_token(self) -> str:
        """Return the token of the sign-in. Raises Unreachable while the keyring does not answer, or Unauthenticated."""
        if self._known is None:
            try:
                self._known = await _read_principal(self.settings, self.store, self.stack)
            except CalendlyLoginError as fault:
                raise to_call(fault) from None
        if self._known is None:
            raise Unauthenticated(f"Nobody has signed in on this machine. {as_typed(REMEDY, anywhere=True)}")
        return await self._known.account.credentials.access_token()

    async def refresh(self) -> bool:
        """Refresh the token, if one is known."""
        return self._known is not None and await self._known.account.credentials.refresh()


async def _read_principal(settings: Settings, store: LoginStore, stack: AsyncExitStack) -> Principal | None:
    """Return who signed in on this machine, None when nobody did. Raises CalendlyLoginError."""
    login = await store.read()
    if login is None:
        return None
    kept = LocalConnection(store, lambda login: upstream(settings, login.application, login.redirect_uri))
    refresher = Refresher(kept, as_typed(REMEDY, anywhere=True), _now, asyncio.get_running_loop().time, asyncio.sleep)
    stack.push_async_callback(refresher.finish)
    user = login.person.uri
    return Principal(
        account=Account(user, "", refresher.credentials(user)),
        identity=_identity(login),
        limits=Limits(ceiling=settings.local_ceiling, granted=login.connection.scopes),
        advice=_advice(settings),
        note=partial(refresher.note, user=user, asked=() if settings.client_id is not None else settings.scopes),
    )


def _advice(settings: Settings) -> Advice:
    """Return the advice, with commands as the person types them in any folder."""
    typed: Advice = {kind: (means, as_typed(step, anywhere=True)) for kind, (means, step) in LOCAL_LOGIN.items()}
    return {**typed, **on_the_way(proxy_told(settings.api_url))}


def _applications(settings: Settings) -> Callable[[str], Awaitable[Application]]:
    async def application(redirect_uri: str) -> Application:
        if settings.client_id is not None:
            return Application.configured(settings.client_id, settings.client_secret, settings.auth_url)
        from auth.upstream.registration import register  # noqa: PLC0415 - loads Authlib

        return await register(settings.issuer, redirect_uri, settings.scopes)

    return application


def _identity(login: LocalLogin) -> Identity | None:
    """Return who signed in, None for a person without an organization, about whom Calendly is asked."""
    if login.person.organization is None:
        return None
    organization = OrganizationId.parse(login.person.organization)
    return Identity(UserId.parse(login.person.uri), organization, login.person.timezone)


def _now() -> datetime:
    return datetime.now(UTC)
