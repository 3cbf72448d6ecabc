"""Tokens for agents without a browser: made, listed and revoked on the machine, good at the hosted endpoint."""

import json
from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import Agent, Site, hosted, upstream_settings
from tests.e2e.people import ADMIN, OWNER, Browser
from tests.e2e.processes import Ended, run
from tests.server.desk import call

pytestmark = pytest.mark.anyio


@dataclass
class Operator:
    """Whoever runs the server, at its machine."""

    site: Site
    settings: dict[str, str]

    def run(self, *words: str) -> Ended:
        """Run the program with the settings of the server."""
        return run(*words, **self.settings, CALENDLY_MCP_PUBLIC_URL=self.site.url)

    def create(self, scopes: str, name: str = "CI", *more: str) -> str:
        """Make a token."""
        made = self.run("token", "create", "--for", name, "--scopes", scopes, *more)
        assert made.status == 0, made.stderr
        assert "shown this once" in made.stderr
        return made.stdout.strip()

    def listed(self) -> list[list[str]]:
        """List the tokens, as words."""
        return [line.split() for line in self.run("token", "list").stdout.splitlines()[1:]]


@pytest.fixture
def operator(sandbox: Sandbox, tmp_path: Path) -> Generator[Operator]:
    """Run a hosted server on an empty database."""
    keys = "k1:" + "A" * 43
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": keys,
    }
    with hosted(**settings) as site:
        yield Operator(site, settings)


def refused(site: Site, token: str) -> bool:
    """Whether the endpoint knows a token no longer."""
    answer = httpx2.post(site.endpoint, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 401


@pytest.mark.requirement("list-by-token", "token-create", "token-list-revoke")
async def test_an_agent_without_a_browser_acts_within_the_scopes_of_its_token_until_it_is_revoked(
    operator: Operator,
) -> None:
    await Agent().sign_in(operator.site)
    token = operator.create("users:read,event_types:read")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(operator.site.endpoint, http_client=http), mode="legacy") as client,
    ):
        tools = [tool.name for tool in (await client.list_tools()).tools]
        assert tools == ["get_current_user", "get_user", "list_event_types", "get_event_type"]
        assert (await call(client, "get_current_user")).content["name"] == "Maya Lindqvist"
        lacking = await call(client, "list_scheduled_events")
        assert lacking.kind == "insufficient_scope"
        assert lacking.error["required_scopes"] == ["scheduled_events:read"]
        assert "calendly-mcp token create" in lacking.error["next_step"]
        [[token_id, name, email, *_]] = operator.listed()
        assert (name, email) == ("CI", "maya@northlight.example")
        assert operator.run("token", "revoke", token_id).status == 0
        assert refused(operator.site, token)
    assert operator.listed() == []


@pytest.mark.requirement("token-create")
async def test_a_token_is_for_somebody_who_connected(operator: Operator) -> None:
    for words in ([], ["--user", "maya@northlight.example"]):
        nobody = operator.run("token", "create", "--for", "CI", "--scopes", "users:read", *words)
        assert nobody.status == 1
        assert "Nobody has connected Calendly here yet." in nobody.stderr
        assert f"{operator.site.url} shows how" in nobody.stderr
    await Agent("One", Browser(OWNER)).sign_in(operator.site)
    await Agent("Two", Browser(ADMIN)).sign_in(operator.site)
    somebody = operator.run("token", "create", "--for", "CI", "--scopes", "users:read")
    assert somebody.status == 1
    assert "say whom the agent acts for" in somebody.stderr
    stranger = operator.run("token", "create", "--for", "CI", "--scopes", "users:read", "--user", "a@b.example")
    assert stranger.status == 1
    assert "Nobody of that name" in stranger.stderr
    operator.create("mcp:scheduling:read", "Nightly", "--user", "maya@northlight.example")
    [row] = operator.listed()
    assert row[1:4] == ["Nightly", "maya@northlight.example", operator.site.endpoint]
    assert set(row[7:-1]) == {"users:read", "event_types:read", "availability:read", "scheduled_events:read"}
    assert "canceling=ask" in row[-1]


async def test_a_token_lives_as_long_as_was_said_and_the_list_tells_when_it_was_used(operator: Operator) -> None:
    await Agent().sign_in(operator.site)
    token = operator.create("users:read", "CI", "--expires", "30d", "--access", "users=read")
    [before] = json.loads(operator.run("token", "list", "--json").stdout)
    assert before["last_used_at"] is None
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
        Client(streamable_http_client(operator.site.endpoint, http_client=http), mode="legacy") as client,
    ):
        assert (await call(client, "get_current_user")).kind == "answered"
        after = before
        while after["last_used_at"] is None:  # what reads is recorded a moment later
            [after] = json.loads(operator.run("token", "list", "--json").stdout)
    assert set(after) == {
        *("id", "name", "person", "email", "address", "scopes", "access", "created_at", "expires_at", "last_used_at")
    }
    assert (after["scopes"], after["access"], after["address"]) == (
        ["users:read"],
        "users=read",
        operator.site.endpoint,
    )
    life = datetime.fromisoformat(after["expires_at"]) - datetime.fromisoformat(after["created_at"])
    assert life.days == 30
    assert after["last_used_at"] >= after["created_at"]
    assert token not in json.dumps(after)


async def test_what_is_wrong_or_would_be_good_for_nothing_or_nowhere_is_not_made_and_said_in_a_line(
    operator: Operator,
) -> None:
    await Agent().sign_in(operator.site)
    for words in (["--access", "users=off"], ["--access", "booking=full"]):
        useless = operator.run("token", "create", "--for", "CI", "--scopes", "users:read", *words)
        assert (useless.status, useless.stdout) == (2, "")
        assert "the token could do nothing: no tool is left for it" in useless.stderr
    wanted = ["token", "create", "--for", "CI", "--scopes", "users:read"]
    elsewhere = run(*wanted, **operator.settings, CALENDLY_MCP_PUBLIC_URL="https://elsewhere.example.com")
    assert elsewhere.status == 1
    assert f"People let agents in at {operator.site.endpoint} with this database" in elsewhere.stderr
    assert "set CALENDLY_MCP_PUBLIC_URL" in elsewhere.stderr
    levels = operator.run("token", "create", "--for", "CI", "--scopes", "users:read", "--access", "users=all")
    assert (levels.status, levels.stderr) == (
        2,
        'calendly-mcp: --access: users cannot be "all"; it can be off, read.\n',
    )
    unknown = operator.run("token", "create", "--for", "CI", "--scopes", "users:raed")
    assert (unknown.status, unknown.stderr) == (
        2,
        'calendly-mcp: --scopes: Calendly has no scope "users:raed"; did you mean users:read?\n',
    )
    missing = operator.run("token", "revoke", "nothing")
    assert missing.status == 1
    assert missing.stderr == "calendly-mcp: There is no such agent token, or it ended before.\n"
    assert operator.listed() == []


async def test_a_token_goes_no_further_than_the_levels_it_was_made_with(operator: Operator) -> None:
    await Agent().sign_in(operator.site)
    token = operator.create("scheduled_events:write", "CI", "--access", "scheduled_events=read,canceling=off")
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(operator.site.endpoint, http_client=http), mode="legacy") as client,
    ):
        listed = {tool.name for tool in (await client.list_tools()).tools}
        refused = await call(client, "cancel_scheduled_event", scheduled_event="E1")
    assert listed == {"list_scheduled_events", "get_scheduled_event", "get_agenda", "summarize_bookings"}
    assert refused.kind == "access_denied_by_policy"
    assert f"{operator.site.url}/connections" in refused.error["message"]


@pytest.mark.requirement("keys-rotate")
async def test_secrets_are_sealed_anew_under_the_first_key_and_the_other_may_go(operator: Operator) -> None:
    await Agent().sign_in(operator.site)
    old, new = operator.settings["CALENDLY_MCP_SECRET_KEYS"], "k2:" + "B" * 43
    wrong = run("token", "list", **operator.settings | {"CALENDLY_MCP_SECRET_KEYS": new})
    assert wrong.status == 1
    assert wrong.stderr == "calendly-mcp: Stored secrets are sealed under the key k1, and the key ring lacks it.\n"
    operator.settings["CALENDLY_MCP_SECRET_KEYS"] = f"{new},{old}"
    rotated = operator.run("keys", "rotate")
    assert rotated.status == 0
    assert rotated.stdout.endswith("encrypted anew under the key k2; the other keys may go.\n")
    assert int(rotated.stdout.split()[0]) >= 2
    # The server that runs lacks the key by now, and says so to whoever asks whether it is ready.
    assert httpx2.get(f"{operator.site.url}/readyz").status_code == 503
    operator.settings["CALENDLY_MCP_SECRET_KEYS"] = new
    with hosted(public_url=operator.site.url, **operator.settings) as renewed:
        assert httpx2.get(f"{renewed.answers_at}/readyz").status_code == 200
        token = operator.create("users:read")
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers) as http,
            Client(streamable_http_client(f"{renewed.answers_at}/mcp", http_client=http), mode="legacy") as client,
        ):
            assert (await call(client, "get_current_user")).kind == "answered"
