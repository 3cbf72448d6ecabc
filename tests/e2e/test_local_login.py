"""Signing in on a machine of one's own: the login that a server over stdio then uses, and the way out."""

import os
from dataclasses import replace
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from auth.access.levels import LOCAL
from auth.local.login_store import LoginStore
from server.calls.selection import Rules, select
from tests.e2e.conftest import Sandbox
from tests.e2e.people import ADMIN, Browser
from tests.e2e.processes import address_in, greet, parameters, program, request, run
from tests.server.desk import call
from tools import ALL

pytestmark = pytest.mark.anyio


@pytest.fixture
def machine(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Settings of a person without a token, whose Calendly is the sandbox; no program opens a browser by itself."""
    return {
        "CALENDLY_API_URL": sandbox.url,
        "CALENDLY_ISSUER": sandbox.url,
        "CALENDLY_MCP_LOG_LEVEL": "warning",
        "XDG_DATA_HOME": str(tmp_path),
        "PATH": os.devnull,
    }


async def sign_in(machine: dict[str, str], browser: Browser, **settings: str) -> None:
    """Run `login`, and do in the browser what it asks for."""
    with program("login", "--redirect-port", "0", **machine, **settings) as login:
        assert "The terminal says whether you are signed in" in await browser.arrive(address_in(login))
        ended = login.end()
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-1].startswith("Signed in as ")


async def expire(machine: dict[str, str]) -> None:
    """Let the token that is kept be at its end."""
    store = LoginStore(
        Path(machine["XDG_DATA_HOME"], "calendly-mcp"), machine["CALENDLY_API_URL"], lambda: None, anyio.sleep
    )
    login = await store.read()
    assert login is not None
    await store.write(replace(login, connection=replace(login.connection, expires_at=login.connection.issued_at)))


def files_in(folder: Path) -> list[tuple[bytes, int]]:
    """Read every file below a folder, and its mode."""
    return [(file.read_bytes(), file.stat().st_mode) for file in folder.rglob("*") if file.is_file()]


@pytest.mark.requirement("run-local", "whoami", "login", "login-port")
@pytest.mark.parametrize(
    "application",
    [
        {},
        {"CALENDLY_CLIENT_ID": "sandbox-native"},
        {"CALENDLY_CLIENT_ID": "sandbox-client", "CALENDLY_CLIENT_SECRET": "sandbox-secret"},
    ],
    ids=["registered by itself", "public", "confidential"],
)
@pytest.mark.usefixtures("measured")
async def test_who_signs_in_by_browser_needs_no_token(
    machine: dict[str, str], sandbox: Sandbox, application: dict[str, str]
) -> None:
    await sign_in(machine, Browser(ADMIN), CALENDLY_AUTH_URL=sandbox.url, **application)
    told = run("whoami", **machine)
    assert told.status == 0
    hours = " availability:write" if not application else ""  # an application of the guide's scopes has it not
    assert f"scopes        availability:read{hours} data_compliance:write" in told.stdout
    async with Client(stdio_client(parameters(["stdio"], machine)), mode="legacy") as client:
        me = (await call(client, "get_current_user")).content
        assert me["email"] in told.stdout
        on = len(select(ALL, Rules(ceiling=LOCAL)).listed)
        assert len((await client.list_tools()).tools) == (on - 1 if application else on)


async def test_a_sign_in_asks_for_what_is_named_or_for_what_reads(machine: dict[str, str]) -> None:
    with program("login", "--redirect-port", "0", "--scopes", "users:read,event_types:read", **machine) as login:
        address, told = address_in(login), login.process.stdout
        assert told is not None
        assert "Waiting for the browser. " in next(line for line in told if line.strip())
        await Browser().arrive(address)
        assert login.end().status == 0
    assert "scopes        event_types:read users:read\n" in run("whoami", **machine).stdout
    with program("login", "--redirect-port", "0", "--read-only", **machine) as login:
        await Browser().arrive(address_in(login))
        assert login.end().status == 0
    [scopes] = [line for line in run("whoami", **machine).stdout.splitlines() if line.startswith("scopes")]
    assert "users:read" in scopes
    assert ":write" not in scopes


@pytest.mark.requirement("list-by-token")
async def test_what_was_not_granted_is_neither_listed_nor_called(machine: dict[str, str]) -> None:
    await sign_in(machine, Browser(), CALENDLY_SCOPES="users:read")
    async with Client(stdio_client(parameters(["stdio"], machine)), mode="legacy") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["get_current_user", "get_user"]
        refused = await call(client, "list_event_types")
    assert refused.kind == "insufficient_scope"
    assert "calendly-mcp login" in refused.error["next_step"]


async def test_a_sign_in_that_calendly_ended_sends_the_person_to_the_terminal(
    machine: dict[str, str], sandbox: Sandbox
) -> None:
    await sign_in(machine, Browser())
    sandbox.reset()
    async with Client(stdio_client(parameters(["stdio"], machine)), mode="legacy") as client:
        refused = await call(client, "get_current_user")
    assert refused.kind == "unauthenticated"
    assert "calendly-mcp login" in refused.error["next_step"]


@pytest.mark.requirement("upstream-granted")
async def test_what_calendly_takes_away_at_a_refresh_is_explained(machine: dict[str, str], sandbox: Sandbox) -> None:
    await sign_in(machine, Browser())
    await expire(machine)
    less = {"access_token": "sandbox-pat-noscopes", "refresh_token": "sandbox-rt-x", "scope": "users:read"}
    sandbox.will_fail(method="POST", path="/oauth/token", status=200, body={**less, "token_type": "Bearer"})
    async with Client(stdio_client(parameters(["stdio"], machine)), mode="legacy") as client:
        refused = await call(client, "list_event_types")
    assert refused.kind == "insufficient_scope"
    assert "Calendly once granted event_types:read" in str(refused.result.content)


@pytest.mark.usefixtures("measured")
@pytest.mark.requirement("upstream-finished")
async def test_a_refresh_under_way_is_finished_before_the_server_ends(
    machine: dict[str, str], sandbox: Sandbox
) -> None:
    await sign_in(machine, Browser())
    await expire(machine)
    sandbox.will_fail(method="POST", path="/oauth/token", delay=1)
    with program("stdio", **machine) as server:
        greet(server)
        server.say(request("tools/call", 2, name="get_current_user", arguments={}))
        while sandbox.requests().count("POST /oauth/token") < 2:
            pass
        server.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}})
        assert server.end().status == 0
    assert run("whoami", **machine).status == 0
    assert sandbox.requests().count("POST /oauth/token") == 2


@pytest.mark.requirement("logout")
async def test_who_signs_out_is_out_at_calendly_too(machine: dict[str, str], sandbox: Sandbox) -> None:
    await sign_in(machine, Browser())
    ended = run("logout", **machine)
    assert (ended.status, ended.stdout) == (0, "Signed out Maya Lindqvist.\n")
    assert sandbox.requests().count("POST /oauth/revoke") == 2
    assert run("logout", **machine).stdout == "Nobody was signed in.\n"
    assert run("whoami", **machine).status == 2


async def test_a_server_does_not_go_on_for_whoever_signs_in_later(machine: dict[str, str]) -> None:
    await sign_in(machine, Browser())
    async with Client(stdio_client(parameters(["stdio"], machine)), mode="legacy") as client:
        await sign_in(machine, Browser(ADMIN))
        refused = await call(client, "get_current_user")
    assert refused.kind == "unauthenticated"
    assert "Somebody else has signed in" in refused.error["message"]


async def test_a_token_that_is_set_wins_over_the_sign_in(machine: dict[str, str]) -> None:
    await sign_in(machine, Browser(ADMIN))
    told = run("whoami", **machine, CALENDLY_ACCESS_TOKEN="sandbox-pat-owner")
    assert "Maya Lindqvist" in told.stdout


@pytest.mark.requirement("login-kept")
async def test_what_is_kept_says_nothing_to_whoever_reads_it(machine: dict[str, str]) -> None:
    await sign_in(machine, Browser())
    kept = files_in(Path(machine["XDG_DATA_HOME"]))
    assert kept
    assert not any(b"sandbox-" in content for content, _ in kept)
    assert {mode & 0o077 for _, mode in kept} == {0}


async def test_whoever_says_no_is_not_signed_in(machine: dict[str, str], sandbox: Sandbox) -> None:
    with program("login", "--redirect-port", "0", **machine) as login:
        address = httpx2.URL(address_in(login))
        back = address.params["redirect_uri"]
        answer = {"error": "access_denied", "state": address.params["state"]}
        async with httpx2.AsyncClient() as http:
            page = await http.get(back, params=answer)
        ended = login.end()
    assert "Not signed in" in page.text
    assert (ended.status, ended.stderr) == (
        1,
        "calendly-mcp: The sign-in was declined at Calendly; nothing was stored.\n",
    )
    assert "POST /oauth/token" not in sandbox.requests()
