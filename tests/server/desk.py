"""A server in this process, an MCP client of the SDK connected to it, and an upstream that does what a test says."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

import anyio
import mcp_types as types
from mcp import Client
from mcp.server.lowlevel import Server

from server.configuration.loading import load
from server.local.serving import serving
from tests.audit_log import NOW, Shelf, recording_on
from tests.hostile_upstream import HostileUpstream, Step, answer
from tests.virtual_time import going_on_from
from tools import ALL, HostedWorkflow

Era = Literal["legacy", "2026-07-28"]
"""How a client opens the conversation; `legacy` is revision 2025-11-25."""

Form = dict[str, str | int | float | bool | list[str] | None]
"""What a client fills a form in with."""


def _yes() -> Form | None:
    return {"approve": True}


LOCAL_TOOLS: Final = tuple(tool for tool in ALL if not isinstance(tool, HostedWorkflow))
"""The tools that there are where nobody signs in."""

ON_HOSTED: Final = tuple(tool for tool in ALL if {"endpoints", "workflows", "events"} & {*tool.toolsets})
"""The tools that are on by default where people sign in."""

ON: Final = tuple(tool for tool in ON_HOSTED if tool in LOCAL_TOOLS)
"""The tools that are on by default."""
EVENT = "https://api.calendly.com/scheduled_events/E1"


@dataclass
class Person:
    """Who answers the client's questions.

    Attributes:
        action: The answer.
        questions: What was asked.
        hesitates: Seconds before an answer; as long as a person reads before a no.
        content: What the form is filled in with.
    """

    action: Literal["accept", "decline", "cancel"] = "accept"
    questions: list[str] = field(default_factory=list[str])
    hesitates: float | None = None
    content: Form | None = field(default_factory=_yes)

    async def answer(
        self,
        context: object,  # noqa: ARG002 - the SDK passes it by name
        params: types.ElicitRequestParams,
    ) -> types.ElicitResult:
        """Answer a question."""
        self.questions.append(params.message)
        await anyio.sleep(self.hesitates if self.hesitates is not None else 0.6 * (self.action != "accept"))
        return types.ElicitResult(action=self.action, content=self.content if self.action == "accept" else None)


@dataclass
class Answer:
    """What a call was answered with."""

    result: types.CallToolResult

    @property
    def content(self) -> dict[str, Any]:
        """The structured content."""
        return cast("dict[str, Any]", self.result.structured_content)

    @property
    def error(self) -> dict[str, Any]:
        """The error in it."""
        assert self.result.is_error, self.content
        return cast("dict[str, Any]", self.content["error"])

    @property
    def kind(self) -> str:
        """The kind of the error, `answered` without one."""
        return cast("str", self.error["kind"]) if self.result.is_error else "answered"


async def call(client: Client, name: str, /, **arguments: object) -> Answer:
    """Call a tool."""
    return Answer(await client.call_tool(name, arguments))


@asynccontextmanager
async def serving_to(
    upstream: HostileUpstream, *, shelf: Shelf | None = None, **settings: str
) -> AsyncGenerator[Server[Any]]:
    """Run a server in this process; the MCP server in it. For the arguments see `connected`."""
    environ = {
        "CALENDLY_ACCESS_TOKEN": "secret",
        "CALENDLY_API_URL": upstream.origin,
        "CALENDLY_MCP_DATABASE_URL": "sqlite://",
    }
    async with serving(load("stdio", settings, environ=environ), recording_on(shelf), going_on_from(NOW)) as server:
        yield server.mcp


@asynccontextmanager
async def connected(
    upstream: HostileUpstream,
    era: Era = "legacy",
    *,
    person: Person | None = None,
    shelf: Shelf | None = None,
    **settings: str,
) -> AsyncGenerator[Client]:
    """Connect a client, whose user is `person`, to a server in this process.

    Args:
        upstream: What the server takes for Calendly.
        era: Which revision is spoken.
        person: Answers questions; without one the client cannot ask any.
        shelf: Where calls are recorded.
        settings: Settings by field name.
    """
    async with (
        serving_to(upstream, shelf=shelf, **settings) as server,
        Client(server, mode=era, elicitation_callback=person.answer if person else None) as client,
    ):
        yield client


def me(**fields: object) -> Step:
    """Answer `GET /users/me`."""
    user = {
        "uri": "https://api.calendly.com/users/U1",
        "current_organization": "https://api.calendly.com/organizations/O1",
        "timezone": "Europe/Berlin",
        **fields,
    }
    return answer(200, {"resource": user})
