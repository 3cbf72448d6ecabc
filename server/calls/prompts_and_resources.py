"""Prompts and resources over MCP: lists, reads and completions.

What they tell of Calendly comes from tool calls, through the same handlers: `server.calls.handlers`.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError

from calendly.third_party_text import shown
from server.calls.apps import apps_for, described_app, read_app
from server.calls.confirm import Context
from server.calls.handlers import Handlers
from server.calls.recent import Recent
from tools.apps import app_at
from tools.completions import COMPLETIONS, MOST, beginning_with
from tools.endpoints.users import get_current_user
from tools.prompts import PROMPTS, Prompt, Scene
from tools.resources import RESOURCES, Resource, found_at
from tools.toolset.errors import ArgumentError
from tools.toolset.tool import Tool, tool_of
from tools.zones import zone_of

REFUSED: Final = -32010
"""A read was refused, with the reason in `data`. MCP leaves codes from -32000 to -32019 to implementations."""

_JSON: Final = "application/json"
_LONGEST_NAME: Final = 80
_NO_SUCH: Final = frozenset({"invalid_argument", "not_found"})

_PATIENCE: Final = 5.0
"""How long a completion may take, in seconds."""

_KEPT: Final = 15.0
"""How long its values are cached, in seconds: clients ask again with every letter."""


class PromptsAndResources:
    """Answers the requests about prompts and resources.

    Args:
        handlers: Call the tools.
    """

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers
        self._now = handlers.callers.audit_log.now
        self._recent: Recent[tuple[str, str, Tool], Mapping[str, Any]] = Recent(_KEPT, handlers.callers.clock)

    async def list_prompts(self, context: Context) -> types.ListPromptsResult:
        """List the prompts for which the agent has the tools, all on one page."""
        seen = self._seen(context)
        return types.ListPromptsResult(
            prompts=[described_prompt(prompt) for prompt in PROMPTS if seen.issuperset(_needed(prompt))]
        )

    async def get_prompt(self, context: Context, params: types.GetPromptRequestParams) -> types.GetPromptResult:
        """Write a prompt. Raises MCPError, -32602, if it is unknown or needs tools that are off."""
        prompt = _prompt(params.name)
        seen = self._seen(context)
        missing = [name for name in _needed(prompt) if name not in seen]
        if missing:
            raise MCPError(types.INVALID_PARAMS, f"{prompt.name} needs {' and '.join(missing)}, which is off here.")
        me = await self._known(context, tool_of(get_current_user))
        zone = zone_of(me.get("timezone"))
        scene = Scene(seen, self._now().astimezone(zone) if zone else None)
        try:
            text = prompt.text(scene, params.arguments or {})
        except ArgumentError as fault:
            raise MCPError(types.INVALID_PARAMS, str(fault)) from None
        message = types.PromptMessage(role="user", content=types.TextContent(type="text", text=text))
        return types.GetPromptResult(description=prompt.description, messages=[message])

    async def list_resources(self, context: Context) -> types.ListResourcesResult:
        """List the resources that the agent may read, all on one page; those with variables are templates."""
        resources = [described_resource(one) for one in self._readable(context) if not one.variables]
        apps = [described_app(app) for app in apps_for(self._seen(context))]
        return types.ListResourcesResult(resources=[*resources, *apps])

    async def list_templates(self, context: Context) -> types.ListResourceTemplatesResult:
        """List the templates of resources that the agent may read, all on one page."""
        return types.ListResourceTemplatesResult(
            resource_templates=[described_template(one) for one in self._readable(context) if one.variables]
        )

    async def read_resource(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        """Read a resource.

        Raises:
            MCPError: -32602 for an unknown URI, `REFUSED` if Calendly or a rule refuses; its data
                name the URI (SEP-2164).
        """
        app = app_at(params.uri)
        if app is not None:
            return read_app(app, self._seen(context))
        found = found_at(params.uri)
        if found is None:
            raise MCPError(
                types.INVALID_PARAMS, f"There is no resource {_echo(params.uri)}.", {"uri": _echo(params.uri)}
            )
        resource, values = found
        result = await self._call(context, resource.tool, dict(values))
        text = "\n".join(part.text for part in result.content if isinstance(part, types.TextContent))
        if result.is_error:
            content = cast("dict[str, Any]", result.structured_content)
            code = types.INVALID_PARAMS if content["error"]["kind"] in _NO_SUCH else REFUSED
            raise MCPError(code, text, {**content, "uri": params.uri})
        contents = types.TextResourceContents(uri=params.uri, mime_type=_JSON, text=text)
        return types.ReadResourceResult(contents=[contents])

    async def complete(self, context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
        """Complete an argument of a prompt or a variable of a template, from what the agent may read.

        Raises:
            MCPError: -32602 for an unknown prompt, template or argument.
        """
        argument = params.argument
        values: Iterable[str] = _choices(params.ref, argument.name)
        completion = COMPLETIONS.get(argument.name)
        if completion is not None:
            answer = await self._known(context, completion.tool)
            values = completion.values(answer, self._now()) if answer else ()
        fitting = beginning_with(argument.value, values)
        return types.CompleteResult(
            completion=types.Completion(values=fitting[:MOST], total=len(fitting), has_more=len(fitting) > MOST)
        )

    async def _known(self, context: Context, tool: Tool) -> Mapping[str, Any]:
        """Return what a tool answers without arguments; empty if it is off, fails or takes too long."""
        if not self._handlers.allows(context, tool):
            return {}
        account = self._handlers.callers.principals.of(context).account

        async def read() -> Mapping[str, Any]:
            with anyio.move_on_after(_PATIENCE):
                result = await self._call(context, tool, {})
                return {} if result.is_error else cast("Mapping[str, Any]", result.structured_content)
            return {}

        return await self._recent.of((account.user, account.agent, tool), read)

    async def _call(self, context: Context, tool: Tool, arguments: dict[str, Any]) -> types.CallToolResult:
        params = types.CallToolRequestParams(name=tool.name, arguments=arguments)
        result = await self._handlers.call(tool, context, params)
        return cast("types.CallToolResult", result)  # nobody is asked about what reads

    def _readable(self, context: Context) -> list[Resource]:
        seen = self._seen(context)
        return [resource for resource in RESOURCES if resource.tool.name in seen]

    def _seen(self, context: Context) -> frozenset[str]:
        return frozenset(tool.name for tool in self._handlers.seen(context))


def described_prompt(prompt: Prompt) -> types.Prompt:
    """A prompt as clients see it in the list."""
    fields = prompt.model.model_fields
    return types.Prompt(
        name=prompt.name,
        title=prompt.title,
        description=prompt.description,
        arguments=[
            types.PromptArgument(name=name, description=field.description, required=field.is_required())
            for name, field in fields.items()
        ],
    )


def described_resource(resource: Resource) -> types.Resource:
    """A resource as clients see it in the list."""
    tool = resource.tool
    return types.Resource(
        uri=resource.uri,
        name=resource.name,
        title=tool.title,
        description=tool.description,
        mime_type=_JSON,
        _meta=tool.meta,
    )


def described_template(resource: Resource) -> types.ResourceTemplate:
    """A resource template as clients see it in the list."""
    tool = resource.tool
    return types.ResourceTemplate(
        uri_template=resource.uri,
        name=resource.name,
        title=tool.title,
        description=tool.description,
        mime_type=_JSON,
        _meta=tool.meta,
    )


def _needed(prompt: Prompt) -> list[str]:
    return [tool.name for tool in prompt.needs]


def _prompt(name: str) -> Prompt:
    for prompt in PROMPTS:
        if prompt.name == name:
            return prompt
    raise MCPError(types.INVALID_PARAMS, f"There is no prompt {_echo(name)}.")


def _choices(ref: types.PromptReference | types.ResourceTemplateReference, argument: str) -> tuple[str, ...]:
    """Return the values of an argument that need no call. Raises MCPError for an unknown argument."""
    if isinstance(ref, types.PromptReference):
        prompt = _prompt(ref.name)
        if argument in prompt.model.model_fields:
            return prompt.choices(argument)
    elif any(resource.uri == ref.uri and argument in resource.variables for resource in RESOURCES):
        return ()
    raise MCPError(types.INVALID_PARAMS, f"There is no argument {_echo(argument)} to complete there.")


def _echo(text: str) -> str:
    return shown(text)[:_LONGEST_NAME]
