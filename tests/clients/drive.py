"""Does with one library after another what every client of the matrix does: see tests/node/use.mjs.

A line of stdin names the library and says how it connects. They stand in requirements/clients.lock, on the path of
this program alone.
"""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from re import search
from typing import Any, Final, TextIO

from mcp import ClientSession, StdioServerParameters
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.shared.auth import OAuthClientMetadata
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent
from pydantic import AnyUrl

from tests.token_memory import Memory

sys.path.append(str(Path(sys.prefix) / "clients"))

_BACK: Final = "http://127.0.0.1:9/callback"
"""Where the browser is sent back; nobody listens there."""

questions: Final[list[str]] = []


@dataclass(frozen=True)
class Answered:
    """What a tool was answered with, as far as every library tells it."""

    text: str
    is_error: bool = False

    @property
    def content(self) -> Any:  # noqa: ANN401 - JSON may be anything
        """The text as JSON."""
        return json.loads(self.text)

    @property
    def confirmation(self) -> str | None:
        """The token of a call that has to be confirmed."""
        found = search(r"^confirmation: (\S+)", self.text.rpartition("\n")[2]) if self.is_error else None
        return found[1] if found else None


@dataclass(frozen=True)
class Driven:
    """One library that is connected: how its tools are listed and called."""

    tools: Callable[[], Awaitable[list[str]]]
    call: Callable[[str, dict[str, object]], Awaitable[Answered]]


def tell(message: Mapping[str, object], to: TextIO = sys.stdout) -> None:
    """Say a line to whoever started this program."""
    print(json.dumps(message), file=to, flush=True)


def hear() -> dict[str, Any]:
    """Hear a line of theirs; nothing when they have nothing more to say."""
    heard: dict[str, Any] = json.loads(sys.stdin.readline() or "{}")
    return heard


def sign_in(endpoint: str) -> OAuthClientProvider:
    """Return what signs in, with a browser that whoever started this program plays."""

    async def redirect(address: str) -> None:
        tell({"open": address})

    async def back() -> AuthorizationCodeResult:
        query = dict(AnyUrl(hear()["arrived"]).query_params())
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    metadata = OAuthClientMetadata(redirect_uris=[AnyUrl(_BACK)], token_endpoint_auth_method="none")
    return OAuthClientProvider(endpoint, metadata, Memory(), redirect, back)


async def approve(message: str, *_: object) -> dict[str, str | int | float | bool | list[str] | None]:
    """Read a question and say yes to it."""
    questions.append(message)
    await asyncio.sleep(0.6)
    return {"approve": True}


def answered(result: CallToolResult) -> Answered:
    """Return what the SDK's own result says."""
    text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
    return Answered(text, bool(result.is_error))


def reached(target: Mapping[str, Any]) -> tuple[Any, OAuthClientProvider | None]:
    """Return how FastMCP's transports reach a server, and what signs in there."""
    if "endpoint" in target:
        return target["endpoint"], sign_in(target["endpoint"])
    return import_module("fastmcp.client.transports").StdioTransport(**target), None


@asynccontextmanager
async def fastmcp(target: Mapping[str, Any]) -> AsyncGenerator[Driven]:
    """FastMCP's client."""
    library = import_module("fastmcp")
    transport, auth = reached(target)
    async with library.Client(transport, auth=auth, elicitation_handler=approve) as client:

        async def call(name: str, arguments: dict[str, object]) -> Answered:
            return answered(await client.call_tool_mcp(name, arguments))

        async def tools() -> list[str]:
            return [tool.name for tool in await client.list_tools()]

        yield Driven(tools, call)


@asynccontextmanager
async def pydantic_ai(target: Mapping[str, Any]) -> AsyncGenerator[Driven]:
    """Pydantic AI's toolset, which raises an error result as a reason for the model to try again."""
    library = import_module("pydantic_ai.mcp")
    retry: type[Exception] = import_module("pydantic_ai").ModelRetry
    where, auth = reached(target)
    async with library.MCPToolset(where, auth=auth, elicitation_handler=approve) as toolset:

        async def call(name: str, arguments: dict[str, object]) -> Answered:
            try:
                return Answered(json.dumps(await toolset.direct_call_tool(name, arguments)))
            except retry as refused:
                return Answered(str(refused), is_error=True)

        async def tools() -> list[str]:
            return [tool.name for tool in await toolset.list_tools()]

        yield Driven(tools, call)


@asynccontextmanager
async def openai_agents(target: Mapping[str, Any]) -> AsyncGenerator[Driven]:
    """The OpenAI Agents SDK, which asks nobody; its schemas are made strict, as for a model."""
    library, strict = import_module("agents.mcp"), import_module("agents.strict_schema")
    server = (
        library.MCPServerStreamableHttp({"url": target["endpoint"], "auth": sign_in(target["endpoint"])})
        if "endpoint" in target
        else library.MCPServerStdio(target, client_session_timeout_seconds=30)
    )
    async with server:

        async def call(name: str, arguments: dict[str, object]) -> Answered:
            return answered(await server.call_tool(name, arguments))

        async def tools() -> list[str]:
            listed = await server.list_tools()
            for tool in listed:
                strict.ensure_strict_json_schema(tool.input_schema)
            return [tool.name for tool in listed]

        yield Driven(tools, call)


@asynccontextmanager
async def google_genai(target: Mapping[str, Any]) -> AsyncGenerator[Driven]:
    """Google's SDK, which takes a session of the MCP SDK and makes its tools declarations for Gemini."""
    adapters, types = import_module("google.genai._adapters"), import_module("google.genai.types")

    async def elicited(
        context: object,  # noqa: ARG001 - the SDK passes it by name
        params: ElicitRequestParams,
    ) -> ElicitResult:
        return ElicitResult(action="accept", content=await approve(params.message))

    async with _streams(target) as streams, ClientSession(*streams, elicitation_callback=elicited) as session:
        await session.initialize()
        adapter = adapters.McpToGenAiToolAdapter(session, await session.list_tools())

        async def call(name: str, arguments: dict[str, object]) -> Answered:
            return answered(await adapter.call_tool(types.FunctionCall(name=name, args=arguments)))

        async def tools() -> list[str]:
            return [declared.name for tool in adapter.tools for declared in tool.function_declarations]

        yield Driven(tools, call)


@asynccontextmanager
async def _streams(target: Mapping[str, Any]) -> AsyncGenerator[tuple[Any, Any]]:
    if "endpoint" not in target:
        async with stdio_client(StdioServerParameters(**target)) as streams:
            yield streams
        return
    endpoint = target["endpoint"]
    async with (
        create_mcp_http_client(auth=sign_in(endpoint)) as http,
        streamable_http_client(endpoint, http_client=http) as streams,
    ):
        yield streams[:2]


LIBRARIES: Final[Mapping[str, Callable[[Mapping[str, Any]], AbstractAsyncContextManager[Driven]]]] = {
    "fastmcp": fastmcp,
    "google-genai": google_genai,
    "openai-agents": openai_agents,
    "pydantic-ai": pydantic_ai,
}


async def use(client: Driven) -> None:
    """List, read, and cancel a meeting; tell what was found."""
    questions.clear()
    tools = await client.tools()
    user = await client.call("get_current_user", {})
    last: dict[str, object] = {"status": "active", "sort": "start_time:desc", "count": 1}
    listed = await client.call("list_scheduled_events", last)
    event = {"scheduled_event": listed.content["collection"][0]["uri"]}
    canceled = await client.call("cancel_scheduled_event", event)
    token = canceled.confirmation
    if token is not None:
        canceled = await client.call("cancel_scheduled_event", {**event, "confirmation": token})
    after = await client.call("get_scheduled_event", event)
    tell(
        {
            "tools": tools,
            "name": user.content["name"],
            "refused": canceled.text if canceled.is_error else None,
            "status": after.content["status"],
            "asks": token is None,
            "questions": questions,
        }
    )


async def main() -> None:
    """Connect to one server after another."""
    while target := hear():
        async with LIBRARIES[target.pop("library")](target) as client:
            await use(client)


if __name__ == "__main__":
    asyncio.run(main())
