"""Where a connection is kept, for tests that hold in both places: a database, and the login of one machine."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from auth.local.connection import REMEDY, LocalConnection
from auth.local.login_store import LocalLogin, LoginStore
from auth.upstream.application import Application, Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.connection import LEASE, Connection, signed_in
from auth.upstream.connections import Connections
from auth.upstream.login import SignIn, Tokens
from auth.upstream.refresher import Refresher
from storage.database import Database
from tests.auth.calendly_side import (
    RECONNECT_AT,
    REDIRECT_URI,
    Calendly,
    Clock,
    Sleep,
    application_at,
    connect,
    connections,
)
from tests.auth.processes import Process, process

Interlude = Callable[[], Awaitable[None]]


async def nothing() -> None:
    """Let the others go on."""
    await asyncio.sleep(0)


class Interrupted(CalendlyLogin):
    """Calendly's login, with something that happens in the middle of every refresh."""

    def __init__(
        self, application: Application, url: str, clock: Clock, before: Interlude = nothing, after: Interlude = nothing
    ) -> None:
        super().__init__(Configured(application), redirect_uri=REDIRECT_URI, api_url=url, now=clock.now)
        self.before, self.after = before, after

    @override
    async def refresh(self, refresh_token: str) -> Tokens:
        await self.before()
        tokens = await super().refresh(refresh_token)
        await self.after()
        return tokens


def in_database(
    database: Database, url: str, clock: Clock, sleep: Sleep | None = None, /, **interludes: Interlude
) -> Connections:
    """Make the connections of one process."""
    login = Interrupted(application_at(url), url, clock, **interludes)
    return connections(database, login, clock, sleep=sleep)


def on_machine(
    folder: Path, url: str, clock: Clock, sleep: Sleep | None = None, /, **interludes: Interlude
) -> Refresher:
    """Make the refresher of one program."""
    kept = LocalConnection(
        LoginStore(folder, url, lambda: None, sleep or clock.sleep),
        lambda login: Interrupted(login.application, url, clock, **interludes),
    )
    return Refresher(kept, REMEDY, clock.now, clock.monotonic, sleep or clock.sleep)


@dataclass(frozen=True)
class Place(ABC):
    """One connection, and the processes that share it.

    Attributes:
        remedy: What a person is told who has to sign in again.
        held_up: How long a process that was killed holds up the next, in seconds.
        kind: `refreshing_server`'s word for it.
        where: The address of the database, or the folder.
        calendly: Who gave the tokens.
        user: Whose connection it is.
    """

    remedy: ClassVar[str]
    held_up: ClassVar[float]
    kind: ClassVar[str]

    where: str
    calendly: Calendly
    user: str

    @abstractmethod
    def refresher(self, sleep: Sleep | None = None, /, **interludes: Interlude) -> Refresher:
        """Be one more process, in whose refreshes something happens `before` or `after` Calendly is asked."""

    @abstractmethod
    async def keep(self, sign_in: SignIn) -> None:
        """Store what a sign-in gave."""

    def process(self, stall: str = "never") -> AbstractContextManager[Process]:
        """Start one more process, whose refreshes stand still `before` or `after` Calendly is asked."""
        return process("refreshing_server", self.kind, self.where, self.calendly.url, self.user, stall)

    async def connection(self) -> Connection:
        """Return what is stored."""
        held = await self.refresher().kept.read(self.user)
        assert held is not None
        return held.connection


@dataclass(frozen=True)
class InDatabase(Place):
    """A row of a database."""

    remedy = RECONNECT_AT
    held_up = LEASE.total_seconds()
    kind = "database"

    database: Database

    def connections(self, sleep: Sleep | None = None, /, **interludes: Interlude) -> Connections:
        """Be one more process."""
        return in_database(self.database, self.calendly.url, self.calendly.clock, sleep, **interludes)

    @override
    def refresher(self, sleep: Sleep | None = None, /, **interludes: Interlude) -> Refresher:
        return self.connections(sleep, **interludes).refresher

    @override
    async def keep(self, sign_in: SignIn) -> None:
        async with self.database.begin() as transaction:
            await self.connections().keep(transaction, sign_in)


@dataclass(frozen=True)
class OnMachine(Place):
    """The login of a person's machine, in a file."""

    remedy = REMEDY
    held_up = 0.0
    kind = "machine"

    @override
    def refresher(self, sleep: Sleep | None = None, /, **interludes: Interlude) -> Refresher:
        return on_machine(Path(self.where), self.calendly.url, self.calendly.clock, sleep, **interludes)

    @override
    async def keep(self, sign_in: SignIn) -> None:
        store = LoginStore(Path(self.where), self.calendly.url, lambda: None, self.calendly.clock.sleep)
        before, tokens, person = await store.read(), sign_in.tokens, sign_in.person
        login = LocalLogin(
            person=person,
            application=self.calendly.application,
            redirect_uri=REDIRECT_URI,
            connection=signed_in(before.connection if before else None, person.uri, tokens, self.calendly.clock.now()),
            access_token=tokens.access_token,
            refresh_token=tokens.refresh_token,
        )
        await store.write(login)


async def connect_in(database: Database, url: str, calendly: Calendly) -> InDatabase:
    """Sign somebody in, whose connection a database has then."""
    sign_in = await calendly.sign_in()
    user = await connect(database, in_database(database, calendly.url, calendly.clock), sign_in)
    calendly.token_requests()
    return InDatabase(url, calendly, user, database)


async def connect_on(folder: Path, calendly: Calendly) -> OnMachine:
    """Sign somebody in, whose login a machine has then."""
    sign_in = await calendly.sign_in()
    place = OnMachine(str(folder), calendly, sign_in.person.uri)
    await place.keep(sign_in)
    calendly.token_requests()
    return place
