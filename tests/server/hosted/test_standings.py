"""What grants may see of events, asked anew for each delivery, by what people and their agents really do."""

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from auth.endpoints.site import Site
from auth.tables import upstream_connection
from auth.upstream.connection import Status
from server.calls.principal import operation_of
from server.hosted.principals import SignedIn
from server.hosted.standings import GrantStandings
from tests.auth.calendly_side import KEYRING, Calendly, calendly
from tests.auth.pages.test_agent import change, own_page
from tests.auth.site import Json, Served, Tokens, make_site, serve
from tests.databases import open_migrated
from tests.events.outgoing.callback_host import answer, repeating
from tests.events.outgoing.delivery_world import World, delivery_world
from tools import ALL

BEGINNING = datetime(2026, 12, 1, 9, tzinfo=UTC)
SEEN = "users=read,events=read,scheduled_events=read"


@dataclass
class Told:
    """An agent that is told of a person's bookings.

    Attributes:
        served: Where it was let in.
        client: As it registered.
        tokens: Its own.
            world: What delivers.
    """

    served: Served
    client: Json
    tokens: Tokens
    world: World

    def wait(self, **by: float) -> None:
        """Let time pass for all."""
        self.world.wait(**by)
        self.served.advance(**by)

    async def revoke(self) -> None:
        """The agent gives its access back."""
        assert (await self.served.revoke(self.client, self.tokens.refresh)).status_code == 200

    async def disconnect(self) -> None:
        """The person disconnects the agent."""
        browser, page = await own_page(self.served)
        await browser.send(page, f"{page.url.path}/disconnection")

    async def delete_everything(self) -> None:
        """The person has everything about them deleted."""
        browser, _ = await own_page(self.served)
        await browser.send(await browser.see("/connections"), "/connections", ("sure", "yes"))

    async def level(self, levels: str) -> None:
        """The person changes what the agent may do."""
        browser, page = await own_page(self.served)
        await change(browser, page, levels)

    async def narrow(self) -> None:
        """The person lets the agent in anew, for less."""
        browser = self.served.browser()
        back = await browser.sign_in(self.served.request(self.client, scope="users:read"))
        await self.served.redeem(self.client, back["code"])

    async def connection(self, status: Status) -> None:
        """Calendly takes the person's connection no longer."""
        async with self.world.database.begin() as connection:
            await connection.execute(update(upstream_connection).values(status=status))


@pytest.fixture(scope="module")
async def owed(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[tuple[Told, sqlite3.Connection]]:
    """Let an agent in that is owed a hundred deliveries, of which thirty have failed once; and a copy of all that."""
    async with (
        calendly() as upstream,
        open_migrated() as database,
        delivery_world(database, tmp_path_factory.mktemp("certificate")) as world,
    ):
        told = await let_in(make_site(database, upstream), upstream, world)
        world.host.answers = lambda _: answer(status="500 Oops")
        await world.book(30)
        await world.deliver()
        await world.book(70)
        assert len(world.events) == 30
        world.host.answers = repeating
        with closing(sqlite3.connect(":memory:")) as copy:
            assert database.engines.memory is not None
            database.engines.memory.backup(copy)
            yield told, copy


@pytest.fixture
def told(owed: tuple[Told, sqlite3.Connection]) -> Told:
    """Begin there again."""
    told, copy = owed
    assert told.world.database.engines.memory is not None
    copy.backup(told.world.database.engines.memory)
    told.world.host.received.clear()
    told.world.time = told.served.clock.wall = BEGINNING
    return told


async def let_in(site: Site, upstream: Calendly, world: World) -> Told:
    """Let an agent in, and subscribe it."""
    operations = tuple(dict.fromkeys(operation_of(each) for tool in ALL for each in tool.takes))
    served = serve(replace(site, operations=operations), upstream)
    client = await served.register()
    back = await served.browser().sign_in(served.request(client), access=SEEN)
    tokens = await served.redeem(client, back["code"])
    caller = (await served.call(tokens.access)).json()
    people = SignedIn(site.connections, site.ceiling, site.issuer, registered_itself=False)
    world.grants.real = GrantStandings(site.database, KEYRING, people.known_as, site.now)
    world.person = caller["person"]
    await world.subscribe(caller["grant_id"])
    return Told(served, client, tokens, world)


ENDS: dict[str, Callable[[Told], Awaitable[None]]] = {
    "the agent revokes its token": Told.revoke,
    "the person disconnects it": Told.disconnect,
    "the person deletes everything": Told.delete_everything,
    "the level of events is off": lambda told: told.level("events=off"),
    "the level of the family is off": lambda told: told.level("scheduled_events=off"),
    "a narrower scope": Told.narrow,
    "a connection that is revoked": lambda told: told.connection(Status.REVOKED),
    "a connection that needs a sign-in": lambda told: told.connection(Status.NEEDS_REAUTH),
}


@pytest.mark.requirement("mcp-events-revoked")
@pytest.mark.parametrize("end", ENDS)
async def test_of_a_hundred_outstanding_deliveries_none_is_posted_once_access_is_gone(told: Told, end: str) -> None:
    world = told.world
    await ENDS[end](told)
    await world.book()
    for minutes in (0, 1, 20):
        told.wait(minutes=minutes)
        await world.deliver()

    assert world.events == []
    waits = end == "a connection that needs a sign-in"
    assert len(world.posts("terminated")) == (0 if waits else 1)
