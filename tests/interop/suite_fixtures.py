"""The conformance suite's own tools, prompts and resources, added to a server of ours."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from server.calls.confirm import Context
from server.stores.confirmations import Confirmations
from server.stores.proof import Unproven, digest
from tests.interop.suite_material import (
    ASKING_PROMPT,
    CONTENT,
    DIALOGUES,
    IMAGE,
    NO_ARGUMENTS,
    PROMPTS,
    RESOURCES,
    SCHEMAS,
    TEMPLATE,
    Dialogue,
    embedded,
    text,
)

_NEEDS: Final = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}
"""The capability of a client that may be asked so."""

_Answer = types.CallToolResult | types.InputRequiredResult


class Fixtures:
    """The suite's tools, prompts and resources.

    Args:
        confirmations: Proves the state of a dialogue, as it does that of our own confirmations.
    """

    def __init__(self, confirmations: Confirmations) -> None:
        self._confirmations = confirmations
        self._calls: Mapping[str, Callable[[Context], Awaitable[types.CallToolResult]]] = {
            "test_error_handling": _fail,
            "test_tool_with_progress": _report,
            "test_tool_with_logging": _log,
            "test_logging_tool": _log,
            "test_missing_capability": _need_sampling,
        }
        plain = dict.fromkeys((*CONTENT, *DIALOGUES, *self._calls), NO_ARGUMENTS)
        self.schemas = {**plain, **SCHEMAS}

    def tools(self) -> list[types.Tool]:
        """List the tools."""
        return [
            types.Tool(name=name, description="For the conformance suite.", input_schema=schema)
            for name, schema in self.schemas.items()
        ]

    async def call(self, context: Context, params: types.CallToolRequestParams) -> _Answer:
        """Call one of the tools."""
        name = params.name
        if name in self._calls:
            return await self._calls[name](context)
        if name in DIALOGUES and (asked := await self._ask(context, name, DIALOGUES[name], params)):
            return asked
        return types.CallToolResult(content=CONTENT.get(name, [text("state-ok")]))

    async def list_prompts(self, _context: Context, _params: object) -> types.ListPromptsResult:
        """List the prompts."""
        return types.ListPromptsResult(
            prompts=[
                types.Prompt(
                    name=name,
                    description="For the conformance suite.",
                    arguments=[types.PromptArgument(name=argument, required=True) for argument in arguments],
                )
                for name, arguments in PROMPTS.items()
            ]
        )

    async def get_prompt(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult | types.InputRequiredResult:
        """Fill in a prompt. Raises MCPError for one that there is not."""
        if params.name == "test_input_required_result_prompt" and (
            asked := await self._ask(context, params.name, ASKING_PROMPT, params)
        ):
            return asked
        given = params.arguments or {}
        said: Mapping[str, list[types.ContentBlock]] = {
            "test_simple_prompt": [text("This is a simple prompt for testing.")],
            "test_prompt_with_arguments": [
                text(f"Prompt with arguments: arg1='{given.get('arg1')}', arg2='{given.get('arg2')}'")
            ],
            "test_prompt_with_embedded_resource": [
                embedded(given.get("resourceUri", ""), "Embedded resource content for testing."),
                text("Please process the embedded resource above."),
            ],
            "test_prompt_with_image": [IMAGE, text("Please analyze the image above.")],
            "test_input_required_result_prompt": [text("This prompt asked first.")],
        }
        if params.name not in said:
            raise MCPError(types.INVALID_PARAMS, "There is no such prompt.")
        messages = [types.PromptMessage(role="user", content=content) for content in said[params.name]]
        return types.GetPromptResult(messages=messages)

    async def _ask(
        self, context: Context, name: str, dialogue: Dialogue, params: types.InputResponseRequestParams
    ) -> types.InputRequiredResult | None:
        """Ask what this round has still to bring; None when nothing is missing. Raises MCPError for a forged state."""
        responses = params.input_responses or {}
        rounds = dialogue.rounds
        number = next((number for number, asked in enumerate(rounds) if asked.keys() & responses.keys()), None)
        if number is None or not rounds[number].keys() <= responses.keys():
            return self._round(context, name, dialogue, number or 0)
        if dialogue.sealed:
            try:
                await self._confirmations.redeem(params.request_state or "", name, digest(number))
            except Unproven as unproven:
                raise MCPError(types.INVALID_PARAMS, str(unproven)) from None
        following = number + 1
        return self._round(context, name, dialogue, following) if following < len(rounds) else None

    def _round(self, context: Context, name: str, dialogue: Dialogue, number: int) -> types.InputRequiredResult:
        able = context.session.client_capabilities or types.ClientCapabilities()
        asking = {
            key: request for key, request in dialogue.rounds[number].items() if getattr(able, _NEEDS[request.method])
        }
        state = self._confirmations.issue(name, digest(number)) if dialogue.sealed else None
        return types.InputRequiredResult(input_requests=asking, request_state=state)


async def _fail(_context: Context) -> types.CallToolResult:
    return types.CallToolResult(content=[text("This tool intentionally returns an error for testing")], is_error=True)


async def _report(context: Context) -> types.CallToolResult:
    for progress in (0, 50, 100):
        await context.session.report_progress(progress, 100)
    return types.CallToolResult(content=[text("Progress was reported.")])


async def _log(context: Context) -> types.CallToolResult:
    # Revision 2026-07-28 has log messages for those alone who ask for them, and is about to have none.
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        for data in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            message = types.LoggingMessageNotificationParams(level="info", data=data)
            await context.session.send_notification(
                types.LoggingMessageNotification(params=message), context.request_id
            )
    return types.CallToolResult(content=[text("Messages were logged.")])


async def _need_sampling(context: Context) -> types.CallToolResult:
    needed = types.ClientCapabilities(sampling=types.SamplingCapability())
    if not context.session.check_client_capability(needed):
        data = types.MissingRequiredClientCapabilityErrorData(required_capabilities=needed)
        wire = data.model_dump(mode="json", by_alias=True, exclude_none=True)
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "The client cannot sample.", wire)
    return types.CallToolResult(content=[text("The client can sample.")])


async def _list_resources(_context: Context, _params: object) -> types.ListResourcesResult:
    return types.ListResourcesResult(
        resources=[
            types.Resource(uri=uri, name=uri.removeprefix("test://"), description="For the conformance suite.")
            for uri in RESOURCES
        ]
    )


async def _list_templates(_context: Context, _params: object) -> types.ListResourceTemplatesResult:
    template = types.ResourceTemplate(uri_template="{id}".join(TEMPLATE), name="template")
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def _read_resource(_context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    before, after = TEMPLATE
    if params.uri.startswith(before) and params.uri.endswith(after):
        identity = params.uri.removeprefix(before).removesuffix(after)
        said = json.dumps({"id": identity, "templateTest": True, "data": f"Data for ID: {identity}"})
        found: types.TextResourceContents | types.BlobResourceContents | None = types.TextResourceContents(
            uri=params.uri, mime_type="application/json", text=said
        )
    else:
        found = RESOURCES.get(params.uri)
    if found is None:
        raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": params.uri})
    return types.ReadResourceResult(contents=[found])


async def _done(_context: Context, _params: object) -> types.EmptyResult:
    return types.EmptyResult()


async def _complete(_context: Context, _params: object) -> types.CompleteResult:
    return types.CompleteResult(completion=types.Completion(values=["paris", "park", "party"]))


def equip(server: Server[Any], confirmations: Confirmations) -> None:
    """Give a server of ours what the suite calls, beside what it has."""
    fixtures = Fixtures(confirmations)
    _add_tools(server, fixtures)
    added: list[tuple[str, type[types.RequestParams], Callable[[Context, Any], Awaitable[Any]]]] = [
        ("prompts/list", types.PaginatedRequestParams, fixtures.list_prompts),
        ("prompts/get", types.GetPromptRequestParams, fixtures.get_prompt),
        ("resources/list", types.PaginatedRequestParams, _list_resources),
        ("resources/templates/list", types.PaginatedRequestParams, _list_templates),
        ("resources/read", types.ReadResourceRequestParams, _read_resource),
        ("resources/subscribe", types.SubscribeRequestParams, _done),
        ("resources/unsubscribe", types.UnsubscribeRequestParams, _done),
        ("completion/complete", types.CompleteRequestParams, _complete),
        ("logging/setLevel", types.SetLevelRequestParams, _done),
    ]
    for method, parameters, handler in added:
        server.add_request_handler(method, parameters, handler)


def _add_tools(server: Server[Any], fixtures: Fixtures) -> None:
    """Put the suite's tools behind our own."""
    our_list, our_call = server.get_request_handler("tools/list"), server.get_request_handler("tools/call")
    our_schema = server.get_tool_input_schema
    assert our_list is not None
    assert our_call is not None
    assert our_schema is not None

    async def list_tools(context: Context, params: types.PaginatedRequestParams) -> types.ListToolsResult:
        ours = cast("types.ListToolsResult", await our_list.handler(context, params))
        return types.ListToolsResult(tools=[*ours.tools, *fixtures.tools()])

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> Any:  # noqa: ANN401 - either's answer
        call = fixtures.call if params.name in fixtures.schemas else our_call.handler
        return await call(context, params)

    def input_schema(name: str) -> Mapping[str, Any] | None:
        return fixtures.schemas.get(name) or our_schema(name)

    server.get_tool_input_schema = input_schema
    server.add_request_handler("tools/list", types.PaginatedRequestParams, list_tools)
    server.add_request_handler("tools/call", types.CallToolRequestParams, call_tool)
