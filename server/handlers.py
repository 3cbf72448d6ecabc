"""A tool as MCP sees it: the list, a call, and every error as a result."""

import logging
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import mcp_types as types
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from auth.access import Access, Limits, decide
from calendly.errors import CalendlyError, InsufficientScope
from server.caller import Callers
from server.confirm import Context, InputRequired
from server.party import Party, operation_of
from server.recording import CallRecord, Permit
from server.results import failure, rehearsal, success
from server.selection import Selection, narrow
from tools.errors import AccessDenied, ToolError
from tools.lean import lean, tells_time
from tools.questions import QUESTIONS
from tools.references import resolved
from tools.subjects import SUBJECTS
from tools.times import own_timezone, zone_of
from tools.toolset import Call, Caller, Rehearsed, Stakes, Subject, Tool

log = logging.getLogger(__name__)

_SELECTIONS_KEPT: Final = 64
"""Listings kept for requests that narrow themselves: clients send the same headers again and again."""

_LONGEST_NAME: Final = 80


class Handlers:
    """Answers `tools/list` and `tools/call`.

    Args:
        tools: Every tool there is.
        selection: Those that the operator left on.
        callers: Makes the caller of a request.
        origins: Where resource URIs may point besides Calendly's own address.
    """

    def __init__(
        self,
        tools: tuple[Tool, ...],
        selection: Selection,
        callers: Callers,
        origins: tuple[str, ...],
    ) -> None:
        self._tools = tools
        self._by_name = {tool.name: tool for tool in tools}
        self._callers = callers
        self._origins = origins
        self._narrowed = lru_cache(_SELECTIONS_KEPT)(partial(narrow, tools, selection))
        self._listing = lru_cache(_SELECTIONS_KEPT)(_listing)
        self._selection = selection

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The input schema of a tool, None for a name that no tool has."""
        tool = self._by_name.get(name)
        return tool.input_schema if tool else None

    async def list_tools(self, context: Context, _params: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        """List what this request may call, all on one page."""
        party = self._callers.parties.of(context)
        listed = self._narrowed_by(context.request).listed
        return self._listing(tuple(filter(party.sees, listed)))

    def scopes_needed(self, request: Request, chosen: Access, name: str) -> frozenset[str]:
        """The scopes that a call of a tool needs; none for a tool that is off, or that there is not.

        Args:
            request: The call.
            chosen: What the person allows the agent.
            name: The tool's.
        """
        tool = self._by_name.get(name)
        if tool is None or name in self._narrowed_by(request).refusals:
            return frozenset()
        is_off = decide(operation_of(tool), Limits(ceiling=chosen)).verdict == "deny"
        return frozenset() if is_off else frozenset({tool.scope})

    def turned_away(self, request: Request, party: Party, name: str) -> None:
        """Record a call that was turned away for a scope that a new consent could give.

        Args:
            request: The call.
            party: Who called.
            name: The tool's.
        """
        tool = self._by_name[name]
        record = self._callers.recording(tool, party, request)
        record.decided(Permit(tool, party.decide(tool)))
        record.failed(InsufficientScope("The token lacks a scope.", required_scopes=(tool.scope,)))
        record.close()

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool. What Calendly or a rule refuses is a result.

        Raises:
            MCPError: -32602 for a name that no tool has, -32603 for a fault of ours.
        """
        tool = self._by_name.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, f"Unknown tool: {params.name[:_LONGEST_NAME]}")
        party = self._callers.parties.of(context)
        record = self._callers.recording(tool, party, context.request)
        try:
            result = await self._call(record, context, params)
        except InputRequired as asked:
            record.failed(asked)
            return asked.result
        except (ToolError, CalendlyError) as problem:
            record.failed(problem)
            return failure(problem, tool, party.advice)
        except Exception as fault:
            log.exception("%s failed by a fault of this server", tool.name)
            record.failed(fault)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log of the server says more.") from None
        else:
            record.answered(result)
            return result
        finally:
            record.close()

    async def _call(
        self, record: CallRecord, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = record.tool
        refusal = self._narrowed_by(context.request).refusals.get(tool.name)
        if refusal is not None:
            raise AccessDenied(refusal)
        arguments = tool.parse(params.arguments or {}, self._origins)
        values: Mapping[str, Any] = arguments.values()

        async def question() -> str:
            return await QUESTIONS[tool](call, **values)

        async def subject() -> Subject:
            return await SUBJECTS[tool](call, **values)

        is_rehearsal: bool = getattr(arguments, "dry_run", False)
        record.understood(values, is_rehearsal=is_rehearsal)
        caller = self._callers.of(
            record,
            context,
            params,
            confirmation=getattr(arguments, "confirmation", None),
            is_rehearsal=is_rehearsal,
        )
        call = Call(tool, caller, Stakes(question, subject), is_rehearsal=is_rehearsal)
        await caller.admit(tool)
        values = await resolved(call, values)
        caller.bind(values)
        record.understood(values, is_rehearsal=is_rehearsal)
        try:
            answer = await tool.function(call, **values)
        except Rehearsed as rehearsed:
            return rehearsal(
                rehearsed.request, await question(), must_be_confirmed=record.party.decide(tool).verdict == "ask"
            )
        if getattr(arguments, "detail", None) == "full":
            return success(answer)
        zone = await _zone(caller, values.get("timezone")) if tells_time(tool.shape) else None
        return success(lean(tool.shape, answer, zone))

    def _narrowed_by(self, request: Request | None) -> Selection:
        if request is None:
            return self._selection
        headers = request.headers
        toolsets, names = (
            ",".join(values) if (values := headers.getlist(header)) else None
            for header in ("x-mcp-toolsets", "x-mcp-tools")
        )
        read_only = headers.get("x-mcp-readonly", "").strip().lower() == "true"
        return self._narrowed(toolsets=toolsets, names=names, read_only=read_only)


async def _zone(caller: Caller, named: str | None) -> ZoneInfo | None:
    """The zone that an answer tells times in: the one that was asked for, else the person's own, where it is known."""
    return zone_of(named or await own_timezone(caller))


def _listing(tools: tuple[Tool, ...]) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[described(tool) for tool in tools])


def described(tool: Tool) -> types.Tool:
    """A tool as clients see it in the list."""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.access == "read",
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=True,
        ),
        _meta=tool.meta,
    )
