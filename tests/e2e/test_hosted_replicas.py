"""Several processes of the hosted endpoint on one database, one of them killed, and what nobody may find in between."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.lowlevel import checkpoint

from tests.e2e.conftest import KEYS, Replicas, Sandbox
from tests.e2e.hosting import Agent, Site, code_form, coming_meeting, hosted, upstream_settings
from tests.e2e.people import Browser
from tests.e2e.processes import run
from tests.e2e.test_confirm_page import ON_ONE_DATABASE
from tests.server.desk import Answer, Person, call

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("mcp-stateless")
async def test_any_replica_answers_any_request_of_a_sign_in_a_call_a_refresh_and_a_revocation(
    replicas: Replicas,
) -> None:
    first, second = replicas.endpoints
    agent = Agent()
    async with agent.connect(first) as client:
        meeting = await coming_meeting(client)
        told = await call(client, "cancel_scheduled_event", scheduled_event=meeting)
        confirmed = {"scheduled_event": meeting, "confirmation": told.error["confirmation"]}
    async with agent.connect(second) as client:
        assert (await call(client, "get_current_user")).kind == "answered"
        assert (await call(client, "cancel_scheduled_event", **confirmed)).kind == "answered"
    async with agent.connect(first) as client:
        assert "used already" in (await call(client, "cancel_scheduled_event", **confirmed)).error["message"]
    assert len(agent.browser.consents) == 1
    form = {"grant_type": "refresh_token", "refresh_token": agent.refresh_token, "client_id": agent.client_id}
    async with httpx2.AsyncClient() as http:
        renewed = (await http.post(f"{replicas.second.answers_at}/token", data=form)).json()
        headers = {"Authorization": f"Bearer {renewed['access_token']}"}
        assert [(await http.post(where, headers=headers)).status_code for where in replicas.endpoints] == [400, 400]
        form = {"token": renewed["refresh_token"], "client_id": agent.client_id}
        assert (await http.post(f"{replicas.first.answers_at}/revoke", data=form)).status_code == 200
        assert [(await http.post(where, headers=headers)).status_code for where in replicas.endpoints] == [401, 401]


async def test_of_one_code_at_both_replicas_at_once_no_token_stays_alive_and_one_key_books_once(
    replicas: Replicas, sandbox: Sandbox
) -> None:
    landed: list[httpx2.Response] = []

    async def redeem(where: str, form: dict[str, str]) -> None:
        async with httpx2.AsyncClient() as http:
            landed.append(await http.post(f"{where}/token", data=form))

    form = await code_form(replicas.first)
    async with anyio.create_task_group() as tasks:
        for site in (replicas.first, replicas.second):
            tasks.start_soon(redeem, site.answers_at, form)
    assert sorted(answer.status_code for answer in landed) == [200, 400]
    [tokens] = [answer.json() for answer in landed if answer.status_code == 200]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    async with httpx2.AsyncClient() as http:
        assert [(await http.post(where, headers=headers)).status_code for where in replicas.endpoints] == [401, 401]

    booking = {**sandbox.booking("lee@acme.example"), "idempotency_key": "the key"}
    agent = Agent(browser=Browser(access="event_types=read,availability=read,booking=full"))
    await agent.sign_in(replicas.first)
    sandbox.will_fail(method="POST", path="/invitees", delay=1)
    answers: list[Answer] = []

    async def book(endpoint: str) -> None:
        async with agent.connect(endpoint) as client:
            answers.append(await call(client, "create_event_invitee", **booking))

    async with anyio.create_task_group() as tasks:
        for endpoint in replicas.endpoints:
            tasks.start_soon(book, endpoint)
    assert [answer.kind for answer in answers] == ["answered", "answered"]
    assert answers[0].content["uri"] == answers[1].content["uri"]
    async with agent.connect(replicas.endpoints[1]) as client:
        again = await call(client, "create_event_invitee", **booking)
        taken = await call(client, "create_event_invitee", **{**booking, "event_guests": ["sam@acme.example"]})
    assert again.content["uri"] == answers[0].content["uri"]
    assert taken.kind == "conflict"
    assert (sandbox.requests().count("POST /invitees"), sandbox.booked("lee@acme.example")) == (1, 1)


async def test_a_process_killed_in_the_middle_of_a_call_loses_nothing_that_was_given(
    sandbox: Sandbox, replica_settings: dict[str, str]
) -> None:
    agent = Agent()
    with hosted(**replica_settings) as doomed:
        await agent.sign_in(doomed)
        async with _in_flight(doomed, agent, sandbox, seconds=30) as heard:
            doomed.process.process.kill()
    assert heard == []
    with hosted(public_url=doomed.url, **replica_settings) as successor:
        async with agent.connect(f"{successor.answers_at}/mcp") as client:
            assert (await call(client, "list_scheduled_events")).kind == "answered"
    assert len(agent.browser.consents) == 1


@ON_ONE_DATABASE
@pytest.mark.requirement("signals")
async def test_a_signal_ends_the_server_after_the_calls_in_flight(
    sandbox: Sandbox, replica_settings: dict[str, str]
) -> None:
    agent = Agent()
    with hosted(**replica_settings) as site:
        await agent.sign_in(site)
        async with _in_flight(site, agent, sandbox, seconds=2) as heard:
            site.process.ask_to_stop()
        assert site.process.process.wait() == 0
    assert ["collection" in answer.text for answer in heard] == [True]


@asynccontextmanager
async def _in_flight(
    site: Site, agent: Agent, sandbox: Sandbox, *, seconds: int
) -> AsyncGenerator[list[httpx2.Response]]:
    """Have a call reach Calendly, which takes so long to answer; what the agent heard when the block is left."""
    heard: list[httpx2.Response] = []
    sandbox.will_fail(path="/scheduled_events", delay=seconds)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_list_events, site, agent.access_token, heard)
        while "GET /scheduled_events" not in sandbox.requests():
            await checkpoint()
        yield heard


async def _list_events(site: Site, token: str, heard: list[httpx2.Response]) -> None:
    """Call a tool, and note the answer if there is one."""
    params = {"name": "list_scheduled_events", "arguments": dict[str, str]()}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    async with httpx2.AsyncClient(timeout=60) as http:
        with suppress(httpx2.TransportError):
            heard.append(await http.post(site.endpoint, json=body, headers=headers))


async def test_no_secret_is_in_the_log_or_the_database(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": KEYS,
        "CALENDLY_MCP_LOG_LEVEL": "debug",
    }
    agent = Agent()
    with hosted(**settings) as site:
        async with agent.connect(site.endpoint, "2026-07-28", Person()) as client:
            meeting = await coming_meeting(client)
            assert (await call(client, "cancel_scheduled_event", scheduled_event=meeting)).kind == "answered"
        made = run(
            *("token", "create", "--for", "CI", "--scopes", "users:read"),
            **settings | {"CALENDLY_MCP_PUBLIC_URL": site.url},
        )
        form = await code_form(site)
        async with httpx2.AsyncClient() as http:
            tokens = (await http.post(f"{site.url}/token", data=form)).json()
            await http.post(f"{site.url}/token", data=form)  # a replay is logged
        site.process.ask_to_stop()
        log = site.process.end().stderr
    kept = _content(tmp_path)
    assert "was replayed" in log
    secrets = [
        *(agent.access_token, agent.refresh_token, tokens["access_token"], tokens["refresh_token"]),
        *(made.stdout.strip(), form["code"], form["code_verifier"], "A" * 43),
        *("sandbox-secret", "sandbox-at-", "sandbox-rt-", "sandbox-code-"),
    ]
    for where in (log, made.stderr, kept):
        assert [secret for secret in secrets if secret in where] == []


def _content(folder: Path) -> str:
    """Read the database and the files beside it, but its keys."""
    files = [file for file in folder.iterdir() if file.suffix != ".keys"]
    assert files
    return b"".join(file.read_bytes() for file in files).decode("latin-1")
