"""Calendly's side of a sign-in: the sandbox, somebody at the browser, and a clock that only the test moves."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import httpx2
from sqlalchemy import insert

from auth.tables import user
from auth.upstream.application import Application, Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.connections import Connections
from auth.upstream.login import SignIn, Upstream
from sandbox.serving import RunningSandbox, running
from storage.database import Database
from storage.keys import Key, KeyRing

START: Final = datetime(2026, 12, 1, 9, tzinfo=UTC)
REDIRECT_URI: Final = "http://localhost:8765/callback"
STATE: Final = "the-state-of-this-sign-in"
VERIFIER: Final = "a-verifier-of-forty-three-characters-or-more"
KEYRING: Final = KeyRing([Key("k1", bytes(32))])
ASKED: Final = ("users:read", "event_types:write")
RECONNECT_AT: Final = "https://mcp.example/connections"

Sleep = Callable[[float], Awaitable[None]]


@dataclass
class Clock:
    """Both clocks of a process; sleeping moves them and lets the others go on."""

    wall: datetime = START
    seconds: float = 0.0

    def now(self) -> datetime:
        """Read the wall clock."""
        return self.wall

    def monotonic(self) -> float:
        """Read the other one."""
        return self.seconds

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.wall += by
        self.seconds += by.total_seconds()

    async def sleep(self, seconds: float) -> None:
        """Let so much time pass."""
        self.advance(timedelta(seconds=seconds))
        await asyncio.sleep(0)


@dataclass(frozen=True)
class Calendly:
    """The sandbox, and the application that we are there."""

    running: RunningSandbox
    clock: Clock
    application: Application

    @property
    def url(self) -> str:
        """Where it answers, API and sign-in alike."""
        return self.running.url

    @property
    def login(self) -> CalendlyLogin:
        """Our side of the sign-in."""
        return CalendlyLogin(
            Configured(self.application), redirect_uri=REDIRECT_URI, api_url=self.url, now=self.clock.now
        )

    async def sign_in(self, scopes: Iterable[str] = ASKED, person: int = 0) -> SignIn:
        """Go through a whole sign-in."""
        url = await self.login.authorization_url(state=STATE, verifier=VERIFIER, scopes=scopes)
        back = await consent(url, person=person)
        return await self.login.sign_in(code=back["code"], verifier=VERIFIER)

    def token_requests(self) -> list[int | None]:
        """Return what every request for tokens was answered with, and begin to count anew."""
        received = self.running.sandbox.received
        statuses = [call.status for call in received if call.path == "/oauth/token"]
        received.clear()
        return statuses

    async def will(self, **fault: object) -> None:
        """Ask the sandbox for a fault at the next request for tokens."""
        async with httpx2.AsyncClient() as http:
            answer = await http.post(
                f"{self.url}/_sandbox/faults", json={"method": "POST", "path": "/oauth/token", **fault}
            )
        assert answer.status_code == 200

    def is_live(self, access_token: str) -> bool:
        """Say whether the API still takes an access token."""
        token = self.running.sandbox.records.access_tokens[access_token]
        return not token.revoked and (token.expires_at is None or token.expires_at > self.clock.now())


def application_at(url: str) -> Application:
    """Return the confidential application that a sandbox knows."""
    return Application.configured("sandbox-client", "sandbox-secret", url)


@asynccontextmanager
async def calendly() -> AsyncGenerator[Calendly]:
    """Run a sandbox on the clock of the test, with the confidential application."""
    clock = Clock()
    async with running(now=clock.now) as sandbox:
        yield Calendly(sandbox, clock, application_at(sandbox.url))


async def consent(url: str, *, person: int = 0, decision: str = "allow") -> dict[str, str]:
    """Be the person: open the page, choose, and return what the browser is sent back with."""
    async with httpx2.AsyncClient() as browser:
        page = await browser.get(url)
        people = re.findall(r'name="person" value="([^"]+)"', page.text)
        asked = dict(parse_qsl(urlsplit(url).query))
        answer = await browser.post(
            url.partition("?")[0], data={**asked, "person": people[person], "decision": decision}
        )
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


def connections(database: Database, upstream: Upstream, clock: Clock, *, sleep: Sleep | None = None) -> Connections:
    """Make the connections of one process."""
    return Connections(
        database,
        KEYRING,
        upstream,
        reconnect_at=RECONNECT_AT,
        now=clock.now,
        clock=clock.monotonic,
        sleep=sleep or clock.sleep,
        random=os.urandom,
    )


async def connect(database: Database, connected: Connections, sign_in: SignIn) -> str:
    """Keep a sign-in as the callback would, and return whose it is."""
    uri = sign_in.person.uri
    async with database.begin() as transaction:
        await transaction.execute(insert(user).values(uri=uri, created_at=START))
        await connected.keep(transaction, sign_in)
    return uri
