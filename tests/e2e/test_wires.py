"""The same product on every wire: stdio and HTTP, revision 2025-11-25 and 2026-07-28."""

import json
from importlib.metadata import version

import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

from tests.e2e.conftest import Connection, Connector
from tests.server.desk import ON, Answer, Era, call
from tools.apps import view_of

pytestmark = pytest.mark.anyio
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.requirement("stdio-serves", "hints-true")
async def test_all_tools_are_listed_in_order_with_all_that_is_known_of_them(connection: Connection) -> None:
    listed = await connection.client.list_tools()
    assert [tool.name for tool in listed.tools] == [tool.name for tool in ON]
    assert listed.next_cursor is None
    for seen, tool in zip(listed.tools, ON, strict=True):
        assert (seen.title, seen.description) == (tool.title, tool.description)
        assert (seen.input_schema, seen.output_schema) == (tool.input_schema, tool.output_schema)
        assert seen.meta == {**tool.meta, **view_of(tool)}
        assert seen.annotations == types.ToolAnnotations(
            read_only_hint=tool.access == "read",
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=True,
        )


async def test_a_list_may_be_kept_by_its_client_alone_for_a_while(connection: Connection) -> None:
    listed = await connection.client.list_tools()
    assert listed.cache_scope == "private"
    assert (listed.ttl_ms > 0) == (connection.era == "2026-07-28")  # older revisions know no such field


async def test_the_server_says_who_it_is(connection: Connection) -> None:
    await connection.client.list_tools()
    info = connection.client.server_info
    assert info is not None
    assert (info.name, info.title, info.version) == ("calendly", "Calendly", version("calendly-mcp-server"))
    assert info.icons is not None
    assert info.icons[0].src.startswith("data:image/png;base64,")


@pytest.mark.requirement("answer-both-forms")
async def test_an_answer_is_the_same_as_structure_and_as_text(connection: Connection) -> None:
    result = (await call(connection.client, "get_current_user")).result
    assert isinstance(result.content[0], types.TextContent)
    assert json.loads(result.content[0].text) == result.structured_content
    assert result.structured_content["email"] == "maya@northlight.example"


@pytest.mark.requirement("answer-lean", "answer-full", "answer-never-renames")
async def test_what_the_next_step_does_not_need_is_left_out_unless_everything_is_asked_for(
    connection: Connection,
) -> None:
    async def answer(detail: str) -> dict[str, object]:
        listed = await call(connection.client, "list_event_types", count=1, detail=detail)
        return dict(listed.content["collection"][0])

    lean, full = await answer("lean"), await answer("full")
    assert None not in lean.values()
    assert lean.items() <= full.items()
    assert {"uri", "name", "duration", "scheduling_url"} <= lean.keys()
    assert "color" in full.keys() - lean.keys()
    assert None in full.values()


@pytest.mark.requirement("errors-are-results")
async def test_what_calendly_refuses_is_a_result(connection: Connection) -> None:
    refused = await call(connection.client, "get_user", user=NOBODY)
    assert refused.kind == "not_found"
    assert refused.error["status"] == 404
    assert refused.error["title"] == "Resource Not Found"


@pytest.mark.requirement("unknown-refused-at-call")
async def test_arguments_that_cannot_be_right_are_refused_by_name_and_nothing_is_sent(connection: Connection) -> None:
    refused = await call(connection.client, "list_event_types", user="https://evil.example/users/U1", counts=3)
    assert refused.kind == "invalid_argument"
    assert {detail["parameter"] for detail in refused.error["details"]} == {"user", "counts"}
    assert "Did you mean count?" in str(refused.error["details"])
    assert connection.sent() == []


@pytest.mark.requirement("error-no-such-tool")
async def test_a_name_that_no_tool_has_is_a_protocol_error(connection: Connection) -> None:
    with pytest.raises(MCPError) as refused:
        await connection.client.call_tool("list_everything", {})
    assert refused.value.code == types.INVALID_PARAMS


async def test_after_every_error_the_next_call_works(connection: Connection) -> None:
    assert (await call(connection.client, "get_user", user="?")).kind == "invalid_argument"
    assert (await call(connection.client, "get_current_user")).kind == "answered"


@pytest.mark.requirement("progress")
@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_a_call_that_waits_reports_progress_over_http(connector: Connector, era: Era) -> None:
    heard: list[str | None] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is not None
        assert progress < total
        heard.append(message)

    async with connector.connect(("http", era), None) as connection:
        connection.sandbox.will_fail(status=429, headers={"Retry-After": "2"})
        answered = await connection.client.call_tool("get_user", {"user": NOBODY}, progress_callback=hear)
    assert Answer(answered).kind == "not_found"
    assert heard
    assert str(heard[0]).endswith("for a turn under Calendly's rate limit")
