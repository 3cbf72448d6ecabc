"""Each revision of MCP is answered with the fields that it knows, and no others."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import anyio
import mcp_types as types
import pytest
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage

from tests.cases import each
from tests.hostile_upstream import HostileUpstream
from tests.server.desk import serving_to

Ask = Callable[..., Awaitable[dict[str, Any]]]

FIRST: Final = {
    "capabilities": {"prompts", "resources", "tools", "events", "extensions"},
    "serverInfo": {"name", "version"},
    "tools": {"name", "description", "inputSchema"},
    "prompts": {"name", "description", "arguments"},
    "resources": {"uri", "name", "description", "mimeType", "annotations"},
    "resourceTemplates": {"uriTemplate", "name", "description", "mimeType"},
    "contents": {"uri", "mimeType", "text"},
}
"""What schema.ts of revision 2024-11-05 knows of what we send."""
BROUGHT: Final[dict[str, dict[str, set[str]]]] = {
    "2024-11-05": {},
    "2025-03-26": {"capabilities": {"completions"}, "tools": {"annotations"}},
    "2025-06-18": {
        **{name: {"title", "_meta"} for name in ("resources", "resourceTemplates")},
        **{name: {"title"} for name in ("prompts", "serverInfo")},
        "tools": {"title", "_meta", "outputSchema"},
        "contents": {"_meta"},
    },
    "2025-11-25": {"serverInfo": {"icons"}},
}
"""What the schema.ts of each revision added."""


@asynccontextmanager
async def conversation(
    server: Server[Any], version: str, **capabilities: object
) -> AsyncGenerator[tuple[Ask, dict[str, Any]]]:
    """Open a conversation of a revision; what asks in it, and the result of `initialize`."""
    into, inbox = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    outbox, out = anyio.create_memory_object_stream[SessionMessage](1)

    async def ask(method: str, **params: object) -> dict[str, Any]:
        await into.send(SessionMessage(types.JSONRPCRequest(jsonrpc="2.0", id=1, method=method, params=params)))
        answer = (await out.receive()).message
        return answer.model_dump(by_alias=True, exclude_unset=True)

    async with into, out, anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, inbox, outbox, server.create_initialization_options())
        client = {"name": "test", "version": "1"}
        opened = await ask("initialize", protocolVersion=version, capabilities=capabilities, clientInfo=client)
        yield ask, opened["result"]
        tasks.cancel_scope.cancel()


def names_in(value: object) -> set[str]:
    """Return the names of the fields of an object, or of all objects in a list."""
    objects = cast("list[dict[str, Any]]", value if isinstance(value, list) else [value])
    return {name for found in objects for name in found}


def known(until: str, place: str) -> set[str]:
    """Return the fields that a revision knows in a place."""
    news: Iterable[dict[str, set[str]]] = (added for since, added in BROUGHT.items() if since <= until)
    return FIRST[place].union(*(added.get(place, set[str]()) for added in news))


@pytest.mark.requirement("mcp-revisions", "mcp-shapes")
@each("version", BROUGHT)
async def test_each_revision_is_sent_the_fields_that_it_knows(version: str) -> None:
    async with (
        HostileUpstream.listen() as upstream,
        serving_to(upstream) as server,
        conversation(server, version) as (ask, opened),
    ):
        assert opened["protocolVersion"] == version
        app = "ui://calendly/slot-picker"
        answers = [opened, (await ask("resources/read", uri=app))["result"]]
        lists = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
        answers += [(await ask(listing))["result"] for listing in lists]
        for place in FIRST:
            [found] = [answer[place] for answer in answers if place in answer]
            assert names_in(found) == known(version, place), place
        assert "ttlMs" not in names_in(answers)
        refused = (await ask("tools/call", name="get_user", arguments={"user": "?"}))["result"]
        assert refused.keys() == {"content", "structuredContent", "isError"}
        assert names_in(refused["content"]) == {"type", "text"}


@pytest.mark.requirement("mcp-shapes")
@each(
    "version, sent",
    [
        ("2024-11-05", None),
        ("2025-03-26", None),
        ("2025-06-18", {"message", "requestedSchema"}),
        ("2025-11-25", {"mode", "message", "requestedSchema"}),
    ],
)
async def test_a_person_is_asked_in_the_words_of_the_revision_and_in_none_that_has_no_questions(
    version: str, sent: set[str] | None
) -> None:
    async with (
        HostileUpstream.listen() as upstream,
        serving_to(upstream) as server,
        conversation(server, version, elicitation={}) as (ask, _),
    ):
        asked = await ask("tools/call", name="delete_invitee_data", arguments={"emails": ["lee@acme.example"]})
    assert asked.get("method") == (None if sent is None else "elicitation/create")
    if sent is None:
        assert asked["result"]["structuredContent"]["error"]["kind"] == "confirmation_required"
    else:
        assert asked["params"].keys() == sent


async def test_a_discovery_that_does_not_say_its_revision_is_told_what_it_lacks() -> None:
    async with (
        HostileUpstream.listen() as upstream,
        serving_to(upstream) as server,
        conversation(server, "2025-11-25") as (ask, _),
    ):
        error = (await ask("server/discover"))["error"]
    assert error["code"] == types.INVALID_PARAMS
    assert "`io.modelcontextprotocol/protocolVersion`" in error["message"]
