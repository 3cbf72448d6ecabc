"""Prompts and resources at the hosted endpoint: as much as the token may read, and a new consent for more."""

import json
from collections.abc import Generator

import httpx2
import mcp_types as types
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.e2e.hosting import Agent, Site, hosted
from tests.e2e.people import ADMIN, MEMBER, OWNER, Browser
from tests.server.desk import Era

pytestmark = pytest.mark.anyio

ERAS: list[Era] = ["legacy", "2026-07-28"]


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    """Run a hosted server with a sandbox in it."""
    with hosted("--sandbox") as running:
        yield running


async def name_at_me(client: Client) -> str:
    """Whose resources a client reads."""
    [contents] = (await client.read_resource("calendly://me")).contents
    assert isinstance(contents, types.TextResourceContents)
    return str(json.loads(contents.text)["name"])


@pytest.mark.requirement("identity-everywhere")
async def test_everybody_reads_their_own(site: Site) -> None:
    one, two = Agent("One", Browser(OWNER)), Agent("Two", Browser(ADMIN))
    async with one.connect(site.endpoint) as first, two.connect(site.endpoint) as second:
        assert [await name_at_me(first), await name_at_me(second)] == [OWNER, ADMIN]
        completed = [
            (
                await client.complete(types.PromptReference(name="book_meeting"), {"name": "event_type", "value": ""})
            ).completion.values
            for client in (first, second)
        ]
    assert completed[0] != completed[1]


@pytest.mark.parametrize("era", ERAS)
async def test_reading_what_lacks_a_scope_has_the_client_ask_its_user_for_it(site: Site, era: Era) -> None:
    agent = Agent(browser=Browser(asked="users:read"))
    async with agent.connect(site.endpoint, era) as client:
        assert await name_at_me(client) == OWNER
        completed = await client.complete(
            types.PromptReference(name="book_meeting"), {"name": "event_type", "value": ""}
        )
        assert completed.completion.values == []
        assert len(agent.browser.consents) == 1
        agent.browser.asked = None
        await client.read_resource("calendly://event_types")
        assert agent.scopes >= {"users:read", "event_types:read"}
    assert len(agent.browser.consents) == 2


async def test_a_reading_without_its_scope_is_answered_403_with_what_it_needs(site: Site) -> None:
    agent = Agent(browser=Browser(asked="users:read"))
    await agent.sign_in(site)
    message = {"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "calendly://agenda/today"}}
    headers = {"Authorization": f"Bearer {agent.access_token}", "Accept": "application/json, text/event-stream"}
    answer = httpx2.post(site.endpoint, json=message, headers=headers)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    assert "scheduled_events:read" in answer.headers["www-authenticate"]
    message["params"] = {"uri": "calendly://nothing"}
    assert httpx2.post(site.endpoint, json=message, headers=headers).status_code != 403


@pytest.mark.parametrize("era", ERAS)
async def test_a_request_narrows_what_it_is_shown_and_what_it_may_read(site: Site, era: Era) -> None:
    agent = Agent(browser=Browser(MEMBER))
    await agent.sign_in(site)
    headers = {"Authorization": f"Bearer {agent.access_token}", "X-MCP-Tools": "get_current_user,list_event_types"}
    async with (
        httpx2.AsyncClient(headers=headers) as http,
        Client(streamable_http_client(site.endpoint, http_client=http), mode=era) as client,
    ):
        listed = [one.uri for one in (await client.list_resources()).resources]
        assert listed == ["calendly://me", "calendly://event_types"]
        assert (await client.list_prompts()).prompts == []
        assert (await client.list_resource_templates()).resource_templates == []
        with pytest.raises(MCPError, match="X-MCP headers of the request leave it out"):
            await client.read_resource("calendly://agenda/today")
