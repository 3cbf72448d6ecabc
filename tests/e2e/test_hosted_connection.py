"""The connection to Calendly behind the hosted endpoint: refreshed where that helps, explained where it does not."""

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from functools import partial
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import Agent, Site, hosted, upstream_settings
from tests.e2e.people import Browser
from tests.server.desk import ON_HOSTED, Answer, Era, call

pytestmark = pytest.mark.anyio

ERAS: list[Era] = ["legacy", "2026-07-28"]
READS = "users:read event_types:read scheduled_events:read"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps what it has to keep."""
    return tmp_path_factory.mktemp("hosted") / "database"


@pytest.fixture(scope="module")
def site(sandbox: Sandbox, database: Path) -> Generator[Site]:
    """Run a hosted server on a database of its own."""
    with hosted(CALENDLY_MCP_DATABASE_URL=f"sqlite:///{database}", **upstream_settings(sandbox.url)) as running:
        yield running


@pytest.fixture(autouse=True)
def forgotten(site: Site, database: Path) -> None:
    """Forget the connections of other tests: their tokens died with the sandbox, which no refresh has told yet."""
    assert site.url
    change(database, "DELETE FROM upstream_connection")


@pytest.fixture
def age(database: Path) -> Callable[[], None]:
    """Let every connection be two minutes older: a token refused right after it came is no matter of its age."""
    return partial(change, database, "UPDATE upstream_connection SET renewed_at = renewed_at - 120000000")


def change(database: Path, statement: str) -> None:
    """Change what a server stored."""
    with closing(sqlite3.connect(database, isolation_level=None)) as opened:
        opened.execute(statement)


def refreshes(sandbox: Sandbox) -> int:
    """How often Calendly was asked for tokens; the first time was the sign-in."""
    return sandbox.requests().count("POST /oauth/token") - 1


def points_to(site: Site, answer: Answer) -> bool:
    """Whether an error says where to connect again, to a client that shows the text alone as well."""
    text = str(answer.result.content)
    return site.url in answer.error["next_step"] and answer.error["next_step"] in text


@pytest.mark.requirement("connection-401")
@pytest.mark.parametrize("era", ERAS)
async def test_a_token_that_calendly_no_longer_takes_is_refreshed_once_and_nobody_notices(
    site: Site, sandbox: Sandbox, era: Era, age: Callable[[], None]
) -> None:
    async with Agent().connect(site.endpoint, era) as client:
        age()
        sandbox.will_fail(path="/scheduled_events", status=401)
        assert (await call(client, "list_scheduled_events")).kind == "answered"
    assert refreshes(sandbox) == 1


@pytest.mark.requirement("connection-401")
async def test_a_write_that_was_refused_for_its_token_is_sent_once_more(
    site: Site, sandbox: Sandbox, age: Callable[[], None]
) -> None:
    agent = Agent("Linker", Browser(access="event_types=read,scheduling_links=full"))
    async with agent.connect(site.endpoint) as client:
        kind = (await call(client, "list_event_types")).content["collection"][0]["uri"]
        age()
        sandbox.will_fail(path="/scheduling_links", status=401)
        made = await call(client, "create_single_use_scheduling_link", owner=kind)
    assert "booking_url" in made.content
    assert sandbox.requests().count("POST /scheduling_links") == 2


@pytest.mark.requirement("connection-401")
async def test_a_token_refused_twice_is_refreshed_once_and_the_agent_learns_where_to_connect_again(
    site: Site, sandbox: Sandbox, age: Callable[[], None]
) -> None:
    async with Agent().connect(site.endpoint) as client:
        age()
        sandbox.will_fail(path="/scheduled_events", status=401, times=2)
        refused = await call(client, "list_scheduled_events")
    assert (refused.kind, refused.error["status"]) == ("unauthenticated", 401)
    assert points_to(site, refused)
    assert refreshes(sandbox) == 1


@pytest.mark.requirement("connection-401")
async def test_a_connection_that_calendly_ended_is_told_without_asking_again_until_the_person_signs_in(
    site: Site, sandbox: Sandbox, age: Callable[[], None]
) -> None:
    agent = Agent()
    async with agent.connect(site.endpoint) as client:
        age()
        sandbox.will_fail(path="/scheduled_events", status=401)
        sandbox.will_fail(method="POST", path="/oauth/token", status=400, body={"error": "invalid_grant"})
        for _ in range(3):
            refused = await call(client, "list_scheduled_events")
            assert refused.kind == "unauthenticated"
            assert points_to(site, refused)
        assert sandbox.requests().count("GET /scheduled_events") == 1
        assert refreshes(sandbox) == 1
        await Agent("Another").sign_in(site)
        assert (await call(client, "list_scheduled_events")).kind == "answered"


@pytest.mark.requirement("upstream-granted")
async def test_what_calendly_takes_away_at_a_refresh_is_explained(
    site: Site, sandbox: Sandbox, age: Callable[[], None]
) -> None:
    async with Agent(browser=Browser(asked=READS)).connect(site.endpoint) as client:
        age()
        sandbox.will_fail(path="/scheduled_events", status=401)
        less = {
            "access_token": "sandbox-pat-readonly",
            "refresh_token": "sandbox-rt-x",
            "scope": "scheduled_events:read",
        }
        sandbox.will_fail(method="POST", path="/oauth/token", status=200, body={**less, "token_type": "Bearer"})
        assert (await call(client, "list_scheduled_events")).kind == "answered"
        before = len(sandbox.requests())
        refused = await call(client, "list_event_types")
        assert len((await client.list_tools()).tools) == len(ON_HOSTED) - 1  # the application has no availability:write
    assert refused.kind == "insufficient_scope"
    assert refused.error["required_scopes"] == ["event_types:read"]
    assert "Calendly once granted" in refused.error["message"]
    assert points_to(site, refused)
    assert len(sandbox.requests()) == before


@pytest.mark.requirement("upstream-granted")
async def test_what_calendly_does_not_give_to_a_client_that_registered_itself_comes_with_the_way_to_an_application(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    settings = {
        "CALENDLY_API_URL": sandbox.url,
        "CALENDLY_ISSUER": sandbox.url,
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
    }
    less = {"access_token": "sandbox-pat-owner", "refresh_token": "sandbox-rt-x", "scope": "users:read"}
    sandbox.will_fail(method="POST", path="/oauth/token", status=200, body={**less, "token_type": "Bearer"})
    with hosted(**settings) as site:
        async with Agent().connect(site.endpoint) as client:
            refused = await call(client, "list_event_types")
    assert refused.kind == "insufficient_scope"
    assert "create an application with this scope at developer.calendly.com" in refused.error["message"]


@pytest.mark.requirement("upstream-finished")
async def test_a_refresh_under_way_is_finished_before_the_server_ends(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
    }
    ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_scheduled_events"}}
    agent = Agent()
    with hosted(**settings) as site:
        await agent.sign_in(site)
        change(tmp_path / "database", "UPDATE upstream_connection SET expires_at = 0")
        sandbox.will_fail(method="POST", path="/oauth/token", delay=1)
        headers = {"Authorization": f"Bearer {agent.access_token}", "Accept": "application/json, text/event-stream"}
        async with httpx2.AsyncClient() as http, anyio.create_task_group() as calls:
            calls.start_soon(partial(http.post, site.endpoint, json=ask, headers=headers))
            while refreshes(sandbox) == 0:
                await checkpoint()
            calls.cancel_scope.cancel()
        site.process.ask_to_stop()
        assert site.process.process.wait() == 0
    with closing(sqlite3.connect(tmp_path / "database")) as opened:
        assert opened.execute("SELECT status, generation FROM upstream_connection").fetchall() == [("active", 2)]


@pytest.mark.requirement("upstream-owner", "defaults-person")
async def test_the_person_and_the_organization_come_with_the_token_and_need_no_request(
    site: Site, sandbox: Sandbox
) -> None:
    async with Agent().connect(site.endpoint) as client:
        asked_before = sandbox.requests().count("GET /users/me")
        assert (await call(client, "list_scheduled_events")).kind == "answered"
        assert sandbox.requests().count("GET /users/me") == asked_before


def test_the_database_and_its_keys_are_for_their_owner_only(site: Site, database: Path) -> None:
    assert site.url
    modes = {file.name: oct(file.stat().st_mode & 0o777) for file in database.parent.iterdir()}
    assert modes == dict.fromkeys(("database", "database-shm", "database-wal", "database.keys"), "0o600")
