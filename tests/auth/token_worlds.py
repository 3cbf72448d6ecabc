"""Two worlds for one state machine: the pure rules over dictionaries, and the server over its database.

Whatever they refuse is None or False.
"""

import asyncio
import os
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count
from typing import Any, Final, Self, TypeVar

import httpx2
from sqlalchemy import select

from auth.access.levels import UNLIMITED
from auth.endpoints.ending import end_grant
from auth.endpoints.sweep import sweep
from auth.grants import client_rows, code_rows, grant_rows
from auth.grants.clients import Client
from auth.grants.grant_rows import Grant
from auth.grants.rules import (
    ACCESS_TOKEN_LIFE,
    CODE_LIFE,
    FAMILY_LIFE,
    AccessToken,
    Code,
    CodeRequest,
    Redeem,
    RefreshRequest,
    RefreshToken,
    Revoke,
    Rotate,
    live_scopes,
    redeem,
    refresh,
    refresh_token_end,
)
from auth.protocol.pkce import s256
from auth.protocol.secrets import CODE, digest, mint, nonce
from auth.tables import grant
from auth.upstream.application import Application
from auth.upstream.login import CalendlyPerson
from sandbox.app import create_app
from sandbox.serving import RunningSandbox
from tests.auth.calendly_side import Calendly, Clock
from tests.auth.site import BACK, RESOURCE, VERIFIER, Json, Tokens, make_site, serve, tokens_of
from tests.databases import empty, open_migrated

T = TypeVar("T")

SCOPES: Final = frozenset({"users:read"})
CLIENTS: Final = ("one", "two")
PERSON: Final = "https://api.calendly.com/users/A"


@dataclass
class PureFamily:
    """A family of the pure world."""

    grant: str
    code: str
    ended: bool = False


class PureWorld:
    """The rules of `auth.grants.rules`, acted on as the server does."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._names = count()
        self._grants: dict[str, tuple[str, bool]] = {}
        self._codes: dict[str, Code] = {}
        self._families: dict[str, PureFamily] = {}
        self._refresh: dict[str, RefreshToken] = {}
        self._access: dict[str, tuple[str, AccessToken]] = {}

    def sign_in(self, client: str) -> str:
        """Let a client in."""
        live = [name for name, (owner, ended) in self._grants.items() if owner == client and not ended]
        grant = live[0] if live else self._name("grant")
        self._grants[grant] = (client, False)
        code = self._name("code")
        ends_at = self.clock.now() + CODE_LIFE
        self._codes[code] = _code(grant, client, ends_at)
        return code

    def redeem(self, client: str, code: str) -> Tokens | None:
        """Present a code."""
        now = self.clock.now()
        stored = replace(self._codes[code], grant_ended=self._grants[self._codes[code].grant][1])
        decision = redeem(stored, CodeRequest(client, BACK, VERIFIER, RESOURCE), now)
        if isinstance(decision, Revoke):
            for one in self._families.values():
                one.ended = one.ended or one.code == code
        if not isinstance(decision, Redeem):
            return None
        self._codes[code] = replace(stored, used_at=now)
        name = self._name("family")
        self._families[name] = PureFamily(stored.grant, code)
        return self._issue(name, client, now + FAMILY_LIFE)

    def refresh(self, client: str, token: str) -> Tokens | None:
        """Present a refresh token."""
        now = self.clock.now()
        stored = replace(self._refresh[token], ended=self._is_over(self._refresh[token].family))
        decision = refresh(stored, RefreshRequest(client, RESOURCE, None), now)
        if isinstance(decision, Rotate):
            self._refresh[token] = replace(stored, used_at=stored.used_at or now, uses=stored.uses + 1)
            return self._issue(stored.family, client, stored.family_expires_at)
        if isinstance(decision, Revoke):
            self._families[stored.family].ended = True
        return None

    def revoke(self, client: str, token: str) -> None:
        """Revoke a token of either kind."""
        if token in self._access:
            self._access.pop(token)
        elif self._refresh[token].client == client:
            self._families[self._refresh[token].family].ended = True

    def end_grant(self, client: str) -> None:
        """Let the person send a client away."""
        self._grants = {name: (owner, ended or owner == client) for name, (owner, ended) in self._grants.items()}

    def sweep(self) -> None:
        """Do nothing: nothing piles up here."""

    def is_live(self, access: str) -> bool:
        """Say whether an access token is good."""
        if access not in self._access:
            return False
        name, token = self._access[access]
        return live_scopes(replace(token, ended=self._is_over(name)), RESOURCE, self.clock.now()) is not None

    def _is_over(self, name: str) -> bool:
        return self._families[name].ended or self._grants[self._families[name].grant][1]

    def _issue(self, name: str, client: str, ends_at: datetime) -> Tokens:
        token = self._name("refresh")
        expires_at = refresh_token_end(self.clock.now(), ends_at)
        self._refresh[token] = RefreshToken(
            family=name,
            grant="",
            client=client,
            resource=RESOURCE,
            scopes=SCOPES,
            allowed=SCOPES,
            expires_at=expires_at,
            family_expires_at=ends_at,
            used_at=None,
            uses=0,
            ended=False,
        )
        return Tokens(self._issue_access(name), token, "")

    def _issue_access(self, name: str) -> str:
        access = self._name("access")
        ends_at = self.clock.now() + ACCESS_TOKEN_LIFE
        self._access[access] = (name, AccessToken(RESOURCE, SCOPES, SCOPES, ends_at, ended=False))
        return access

    def _name(self, kind: str) -> str:
        return f"{kind}-{next(self._names)}"


class DatabaseWorld:
    """The endpoints over a database; only the sign-in is put there instead of being gone through."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._runner = asyncio.Runner()
        self._open = AsyncExitStack()
        self._database = self._run(self._open.enter_async_context(open_migrated()))
        url = "http://127.0.0.1:9"  # where nobody goes: the sign-ins are put into the database
        asleep = RunningSandbox(url, create_app(now=self.clock.now).state.sandbox)
        self._calendly = Calendly(asleep, self.clock, Application.configured("x", None, url))

    def anew(self) -> Self:
        """Begin again, with the clients and without sign-ins."""
        vars(self.clock).update(vars(Clock()))
        empty(self._database)
        self._site = serve(make_site(self._database, self._calendly), self._calendly)
        self._run(self._register())
        return self

    def sign_in(self, client: str) -> str:
        """Let a client in, as the callback does."""
        return self._run(self._let_in(client))

    def redeem(self, client: str, code: str) -> Tokens | None:
        """Present a code."""
        return _read(self._run(self._site.try_to_redeem(_registered(client), code)))

    def refresh(self, client: str, token: str) -> Tokens | None:
        """Present a refresh token."""
        return _read(self._run(self._site.try_to_refresh(_registered(client), token)))

    def revoke(self, client: str, token: str) -> None:
        """Revoke a token of either kind."""
        self._run(self._site.revoke(_registered(client), token))

    def end_grant(self, client: str) -> None:
        """Let the person send a client away."""
        self._run(self._end_grants(client))

    def sweep(self) -> None:
        """Delete what is over, but for the clients."""
        self._run(self._sweep())

    def is_live(self, access: str) -> bool:
        """Say whether an access token is good."""
        return self._run(self._site.is_live(access))

    def close(self) -> None:
        """Close the database."""
        self._run(self._open.aclose())
        self._runner.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _register(self) -> None:
        site = self._site.site
        async with site.database.begin() as connection:
            for name in CLIENTS:
                client = Client(name, "registered", name, (BACK,), "none", None, refreshes=True, approved=False)
                await client_rows.add(connection, client, site.now())
                await client_rows.mark_approved(connection, name, site.now())

    async def _sweep(self) -> None:
        site = self._site.site
        async with site.database.begin() as connection:
            for name in CLIENTS:
                await client_rows.mark_used(connection, name, site.now())
        await sweep(site)

    async def _let_in(self, client: str) -> str:
        site, now = self._site.site, self.clock.now()
        code = mint(CODE, os.urandom)
        async with site.database.begin() as connection:
            await grant_rows.put_person(connection, CalendlyPerson(PERSON, None, None, None, None), now)
            new = Grant(nonce(os.urandom), PERSON, client, RESOURCE, SCOPES, UNLIMITED)
            grant_id = await grant_rows.allow(connection, new, now)
            await code_rows.add(connection, digest(code), _code(grant_id, client, now + CODE_LIFE))
        return code

    async def _end_grants(self, client: str) -> None:
        async with self._site.site.database.read() as connection:
            query = select(grant.c.id).where(grant.c.client == client, grant.c.ended_at.is_(None))
            grants = list((await connection.execute(query)).scalars())
        for grant_id in grants:
            await end_grant(self._site.site, grant_id)


def _code(grant_id: str, client: str, expires_at: datetime) -> Code:
    return Code(
        grant=grant_id,
        client=client,
        redirect_uri=BACK,
        redirect_uri_sent=True,
        challenge=s256(VERIFIER),
        resource=RESOURCE,
        scopes=SCOPES,
        expires_at=expires_at,
        used_at=None,
        grant_ended=False,
    )


def _registered(client: str) -> Json:
    return {"client_id": client, "redirect_uris": [BACK]}


def _read(response: httpx2.Response) -> Tokens | None:
    return tokens_of(response) if response.status_code == 200 else None
