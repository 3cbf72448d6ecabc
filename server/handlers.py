"""A tool as MCP sees it: the list, a call, and every error as a result."""

import logging
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache, partial
from typing import Any, Final
from zoneinfo import ZoneInfo

import mcp_types as types
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from auth.access import Access, Limits, decide
from calendly.errors import CalendlyError
from server.caller import Callers
from server.confirm import Context, InputRequired
from server.party import Party, operation_of
from server.results import failure, kind_of, rehearsal, repetition, success
from server.selection import Selection, narrow
from tools.errors import AccessDenied, ToolError
from tools.lean import lean, tells_time
from tools.questions import QUESTIONS
from tools.references import resolved
from tools.stakes import Rehearsed, Stakes, Subject
from tools.subjects import SUBJECTS
from tools.times import own_timezone, zone_of
from tools.toolset import Call, Caller, Tool
from tools.withholding import withhold

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
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        tools: tuple[Tool, ...],
        selection: Selection,
        callers: Callers,
        origins: tuple[str, ...],
        clock: Callable[[], float],
    ) -> None:
        self._tools = tools
        self._by_name = {tool.name: tool for tool in tools}
        self._callers = callers
        self._origins = origins
        self._clock = clock
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
        started = self._clock()
        outcome = "canceled"
        result: types.CallToolResult | types.InputRequiredResult
        try:
            result, outcome = await self._call(tool, party, context, params), "answered"
        except InputRequired as asked:
            result, outcome = asked.result, "asked the user"
        except (ToolError, CalendlyError) as problem:
            hides_invitees = party.invitees_hidden_by is not None
            result = failure(problem, tool, party.advice, hides_invitees=hides_invitees)
            outcome = kind_of(problem)
        except Exception:
            outcome = "failed"
            log.exception("%s failed by a fault of this server", tool.name)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log of the server says more.") from None
        finally:
            log.info("%s: %s in %.3f s", tool.name, outcome, self._clock() - started)
        return result

    async def _call(
        self, tool: Tool, party: Party, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        refusal = self._narrowed_by(context.request).refusals.get(tool.name)
        if refusal is not None:
            raise AccessDenied(refusal)
        arguments = tool.parse(params.arguments or {}, self._origins)
        values: Mapping[str, Any] = arguments.values()

        async def question() -> str:
            return await QUESTIONS[tool](call, **values)

        async def subject(aspects: Collection[str]) -> Subject:
            return await SUBJECTS[tool](call, aspects, **values)

        is_rehearsal: bool = getattr(arguments, "dry_run", False)
        caller = self._callers.of(
            party,
            context,
            params,
            confirmation=getattr(arguments, "confirmation", None),
            is_rehearsal=is_rehearsal,
        )
        call = Call(tool, caller, Stakes(question, subject), is_rehearsal=is_rehearsal)
        await caller.admit(tool)
        _refuse_search(tool, party, values)
        values = await resolved(call, values)
        caller.bind(values)
        try:
            answer = await tool.function(call, **values)
        except Rehearsed as tried:
            if tried.request is None:
                return repetition()
            return rehearsal(tried.request, await question(), must_be_confirmed=party.decide(tool).verdict == "ask")
        if party.invitees_hidden_by is not None:
            answer = withhold(tool.shape, answer)
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


def _refuse_search(tool: Tool, party: Party, values: Mapping[str, Any]) -> None:
    """Raise AccessDenied for a filter that would reveal what is withheld."""
    named = sorted(name for name in tool.revealing if values[name] is not None)
    source = party.invitees_hidden_by
    if named and source is not None:
        raise AccessDenied(
            f"{named[0]} searches invitees, and invitee_data is off: leave it out. {party.who_changes(source)}"
        )


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
