"""Prompts and resources of the same product on every wire."""

import json
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from server.calls.prompts_and_resources import REFUSED
from tests.e2e.conftest import Connection
from tests.server.desk import call
from tools.apps import APPS
from tools.prompts import PROMPTS
from tools.resources import RESOURCES

pytestmark = pytest.mark.anyio

KINDS = types.ResourceTemplateReference(uri="calendly://event_types/{event_type}")


async def read(client: Client, uri: str) -> dict[str, Any]:
    """Read a resource, which is JSON."""
    [contents] = (await client.read_resource(uri)).contents
    assert isinstance(contents, types.TextResourceContents)
    found: dict[str, Any] = json.loads(contents.text)
    return found


async def test_everything_is_listed_in_order_on_one_page_for_its_client_alone(connection: Connection) -> None:
    client = connection.client
    prompts, resources = await client.list_prompts(), await client.list_resources()
    templates = await client.list_resource_templates()
    assert [prompt.name for prompt in prompts.prompts] == [prompt.name for prompt in PROMPTS]
    fixed = [one.uri for one in RESOURCES if not one.variables]
    assert [one.uri for one in resources.resources] == [*fixed, *(app.uri for app in APPS)]
    assert [one.uri_template for one in templates.resource_templates] == [one.uri for one in RESOURCES if one.variables]
    for page in (prompts, resources, templates):
        assert page.next_cursor is None
        assert page.cache_scope == "private"
        assert (page.ttl_ms > 0) == (connection.era == "2026-07-28")


async def test_nothing_is_offered_that_cannot_be_pushed(connection: Connection) -> None:
    await connection.client.list_prompts()
    capabilities = connection.client.server_capabilities
    assert capabilities is not None
    assert capabilities.resources is not None
    assert capabilities.prompts is not None
    assert not capabilities.resources.subscribe
    assert not capabilities.resources.list_changed
    assert not capabilities.prompts.list_changed
    assert capabilities.completions is not None


async def test_a_resource_says_what_the_tool_behind_it_answers(connection: Connection) -> None:
    client = connection.client
    me = await read(client, "calendly://me")
    answered = (await call(client, "get_current_user")).content
    assert {**me, "local_time": ""} == {**answered, "local_time": ""}
    listed = await read(client, "calendly://event_types")
    assert listed == (await call(client, "list_event_types", count=100, max_pages=5)).content
    meeting = (await connection.meetings())[0]["uri"].rpartition("/")[2]
    booking = await read(client, f"calendly://scheduled_events/{meeting}")
    assert booking == (await call(client, "get_scheduled_event", scheduled_event=meeting)).content


async def test_a_reading_is_kept_by_nobody(connection: Connection) -> None:
    read = await connection.client.read_resource("calendly://agenda/today")
    assert (read.ttl_ms, read.cache_scope) == (0, "private")


async def test_a_refusal_is_an_error_that_says_what_to_do(connection: Connection) -> None:
    connection.sandbox.will_fail(
        method="GET", path="/scheduled_events", status=403, body={"title": "Permission Denied"}
    )
    with pytest.raises(MCPError) as refused:
        await connection.client.read_resource("calendly://agenda/2026-12-01")
    assert refused.value.code == REFUSED
    assert refused.value.error.data["error"]["kind"] == "permission_denied"
    assert "Next: " in refused.value.message
    assert "collection" in await read(connection.client, "calendly://agenda/2026-12-01")


async def test_a_prompt_tells_the_time_of_the_person_and_a_completion_fills_in_their_event_types(
    connection: Connection,
) -> None:
    client = connection.client
    [message] = (await client.get_prompt("prepare_today", {})).messages
    assert message.role == "user"
    assert isinstance(message.content, types.TextContent)
    assert "in Europe/Berlin: read and show times in that zone." in message.content.text
    found = (await client.complete(KINDS, {"name": "event_type", "value": "intro"})).completion
    assert (found.values, found.total, found.has_more) == (["Intro call"], 1, False)
    assert (await read(client, f"calendly://event_types/{found.values[0].replace(' ', '%20')}"))["slug"] == "intro-call"
