"""A tool as MCP sees it: the list, a call, and every error as a result."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache, partial
from typing import Any, Final, cast

import mcp_types as types
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from auth.access.levels import Decision
from calendly.errors import CalendlyError, InsufficientScope
from server.calls.audit_entries import AuditedDecision, CallRecord
from server.calls.caller import Callers, ToolCaller
from server.calls.confirm import Context, InputRequired
from server.calls.principal import Principal
from server.calls.results import dry_run, failure, repetition, success
from server.calls.selection import Selection, narrow
from tools.answers.shown import shown
from tools.answers.views import tells_time
from tools.apps import view_of
from tools.confirming import EFFECTS
from tools.fields import Reference
from tools.references import resolved
from tools.times import own_timezone
from tools.toolset.declaring import Call, KnownAnswers
from tools.toolset.effects import Affected, DryRun, Effects
from tools.toolset.errors import DeniedByPolicy, ToolError
from tools.toolset.question import Question
from tools.toolset.redaction import INVITEE_DATA
from tools.toolset.tool import Tool
from tools.zones import zone_of

_log: Final = logging.getLogger(__name__)

_SELECTIONS_KEPT: Final = 64
"""How many narrowed selections are cached: clients repeat their headers."""

_LONGEST_NAME: Final = 80
_NO: Final = frozenset({"", "false", "0", "no", "off"})


def _always(_answer: Mapping[str, Any]) -> bool:
    """Have each answer noted."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class InnerRead:
    """What a tool is read through for that its client did not call.

    Attributes:
        decided: What access says of it; None for what it says of the tool.
        is_noted: Says of an answer whether it has an entry of its own in the audit log.
    """

    decided: Decision | None = None
    is_noted: Callable[[Mapping[str, Any]], bool] = _always


class Handlers:
    """Answers `tools/list` and `tools/call`.

    Args:
        tools: Every tool there is.
        selection: Those that the operator left on.
        callers: Makes the caller of a request.
        origins: Where resource URIs may point besides Calendly's own address.
        output_schemas: Whether the list has output schemas: some clients show them to the model.
    """

    def __init__(
        self,
        tools: tuple[Tool, ...],
        selection: Selection,
        callers: Callers,
        origins: tuple[str, ...],
        *,
        output_schemas: bool = True,
    ) -> None:
        self._tools = tools
        self._by_name = {tool.name: tool for tool in tools}
        self.callers = callers
        self._origins = origins
        self._narrowed = lru_cache(_SELECTIONS_KEPT)(partial(narrow, tools, selection))
        self._listing = lru_cache(_SELECTIONS_KEPT)(partial(_listing, output_schemas=output_schemas))
        self._selection = selection

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The input schema of a tool, None for a name that no tool has."""
        tool = self._by_name.get(name)
        return tool.input_schema if tool else None

    async def list_tools(self, context: Context) -> types.ListToolsResult:
        """List what this request may call, all on one page."""
        return self._listing(self.seen(context))

    def seen(self, context: Context) -> tuple[Tool, ...]:
        """What this request may call, or could after a new consent."""
        return tuple(filter(self.callers.principals.of(context).sees, self._narrowed_by(context.request).listed))

    def allows(self, context: Context, tool: Tool) -> bool:
        """Say whether this request may call a tool as it is."""
        is_on = tool.name not in self._narrowed_by(context.request).refusals
        return is_on and self.callers.principals.of(context).decide(tool).verdict != "deny"

    def step_up(self, request: Request, principal: Principal, name: str) -> tuple[str, ...]:
        """Return the scopes for which a client has to send its person to a new consent before it calls a tool.

        None where the call goes on: to be carried out, or to be refused for what no consent changes. A call that is
        turned away here is recorded.

        Args:
            request: The call.
            principal: Who calls.
            name: The tool's.
        """
        tool = self._by_name.get(name)
        if tool is None or name in self._narrowed_by(request).refusals:
            return ()
        decision = principal.decide(tool)
        if not principal.steps_up or decision.verdict != "deny" or decision.source != "token":
            return ()
        record = self.callers.recording(tool, principal, request)
        record.decided(AuditedDecision(tool, decision))
        record.failed(InsufficientScope("The token lacks a scope.", required_scopes=tool.scopes))
        record.close()
        return tool.scopes

    async def call_tool(
        self, context: Context, params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool. What Calendly or a rule refuses is a result.

        Raises:
            MCPError: -32602 for a name that no tool has, and as `call`.
        """
        tool = self._by_name.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, self._unknown(params.name, context.request))
        return await self.call(tool, context, params)

    def _unknown(self, name: str, request: Request | None) -> str:
        """Refuse the name of no tool: say which tool has nearly that name, and why it is off if it is."""
        asked = name[:_LONGEST_NAME]
        near = next(iter(get_close_matches(asked, [*self._by_name], n=1)), None)
        if near is None:
            return f"Unknown tool: {asked}"
        off = self._narrowed_by(request).refusals.get(near)
        return f"Unknown tool: {asked}; did you mean {near}?{f' {off.told}' if off else ''}"

    async def read(
        self, name: str, context: Context, arguments: Mapping[str, Any], inner: InnerRead | None = None
    ) -> Mapping[str, Any]:
        """Read through a tool, also one that is not in the list, for what answers no call of a tool.

        Returns what the tool answered, or why it failed as `error`. Raises MCPError, -32603, for a fault of ours.
        """
        params = types.CallToolRequestParams(name=name, arguments=dict(arguments))
        result = await self.call(self._by_name[name], context, params, inner or InnerRead())
        return cast("types.CallToolResult", result).structured_content or {}  # nobody is asked about what reads

    async def call(
        self, tool: Tool, context: Context, params: types.CallToolRequestParams, inner: InnerRead | None = None
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call a tool, or what is read through it. Raises MCPError, -32603, for a fault of ours.

        Args:
            tool: Which.
            context: The request.
            params: Its arguments.
            inner: Why it is called where the client did not name it; then it need not be in the list.
        """
        principal = self.callers.principals.of(context)
        record = self.callers.recording(tool, principal, context.request)
        try:
            if inner is None:
                self._require_listed(record, context)
            result = await self._call(record, context, params, inner.decided if inner else None)
        except InputRequired as asked:
            record.failed(asked)
            return asked.result
        except (ToolError, CalendlyError) as problem:
            record.failed(problem)
            result = failure(problem, tool, principal.advice, hides_invitees=principal.invitees_hidden_by is not None)
            record.is_silent = _is_silent(inner, result)
            return result
        except Exception as fault:  # noqa: BLE001 - logged, and answered as a fault of ours
            _log.exception("%s failed by a fault of this server", tool.name)
            record.failed(fault)
            raise MCPError(types.INTERNAL_ERROR, "Internal error; the log of the server says more.") from None
        else:
            record.answered(result)
            record.is_silent = _is_silent(inner, result)
            return result
        finally:
            record.close()

    async def _call(
        self, record: CallRecord, context: Context, params: types.CallToolRequestParams, decided: Decision | None
    ) -> types.CallToolResult:
        tool = record.tool
        arguments = tool.parse(params.arguments or {}, self._origins)
        values: Mapping[str, Any] = arguments.values()
        additional = arguments.additional()
        record.understood(values, is_dry_run=additional.get("dry_run", False))
        caller = self.callers.of(record, context, params)
        caller.confirmation = additional.get("confirmation")
        decision = await caller.require_access(tool, decided)
        _refuse_search(record, values)
        call, values = await _prepared(caller, values)
        try:
            answer = await tool.run(call, values)
        except DryRun as dry:
            return await _shown_dry_run(dry, call.effects, must_be_confirmed=decision.verdict == "ask")
        told, note = await _shown(caller, answer, values.get("timezone"), additional), caller.clock_note()
        if note and isinstance(told, dict):
            told = {**cast("dict[str, object]", told), "clock": note}
        return success(told, call.resumption, additional.get("text_offset", 0))

    def _require_listed(self, record: CallRecord, context: Context) -> None:
        """Raise DeniedByPolicy for a tool that is not in the list of a request."""
        refusal = self._narrowed_by(context.request).refusals.get(record.tool.name)
        if refusal is not None:
            record.decided(AuditedDecision(record.tool, refusal.decision))
            raise DeniedByPolicy(refusal.told)

    def _narrowed_by(self, request: Request | None) -> Selection:
        if request is None:
            return self._selection
        headers = request.headers
        toolsets, names = (
            ",".join(values) if (values := headers.getlist(header)) else None
            for header in ("x-mcp-toolsets", "x-mcp-tools")
        )
        # Sent twice, joined by a proxy or garbled, it still narrows: only a plain no leaves the tools that write on.
        said = ",".join(headers.getlist("x-mcp-readonly")).lower().split(",")
        read_only = any(value.strip() not in _NO for value in said)
        return self._narrowed(toolsets=toolsets, names=names, read_only=read_only)


def _is_silent(inner: InnerRead | None, result: types.CallToolResult) -> bool:
    return inner is not None and not inner.is_noted(result.structured_content or {})


def _refuse_search(record: CallRecord, values: Mapping[str, Any]) -> None:
    """Raise DeniedByPolicy for a filter, or the name of a contact, that would reveal what is withheld."""
    tool, principal = record.tool, record.principal
    source = principal.invitees_hidden_by
    filters = {name: "searches people" for name in tool.revealing if values[name] is not None}
    names = {name: "names somebody" for name, value in values.items() if _names_contact(value)}
    if source is not None and (filters or names):
        record.decided(AuditedDecision(tool, Decision("deny", f"{INVITEE_DATA} is off", source)))
        name, does = min({**filters, **names}.items())
        instead = "pass a uuid or URI" if name in names else "leave it out"
        raise DeniedByPolicy(f"{name} {does}, and {INVITEE_DATA} is off: {instead}. {principal.who_changes(source)}")


def _names_contact(value: object) -> bool:
    """Return whether an argument, or one in a list, is the name of a contact, which is looked up."""
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return any(isinstance(one, Reference) and one.is_of_contact for one in values)


async def _prepared(caller: ToolCaller, values: Mapping[str, Any]) -> tuple[Call, Mapping[str, Any]]:
    """Return the call of a tool, and its arguments with every name in them looked up."""
    tool = caller.record.tool

    known: KnownAnswers = []  # of this round

    async def question() -> Question:
        return await EFFECTS[tool].question(replace(call, known=known), **values)

    async def question_for_person() -> Question:
        for_person = replace(call, known=known, for_person=True, hides_people=False)
        return await EFFECTS[tool].question(for_person, **values)

    async def affected(aspects: Collection[str]) -> Affected:
        return await EFFECTS[tool].affected(replace(call, known=known), aspects, **values)

    hides = caller.principal.invitees_hidden_by is not None
    effects = Effects(question, question_for_person if hides else question, affected)
    # What only reads is authorized by its level: conditions and questions are for what writes.
    call = Call(
        tool,
        caller,
        effects,
        authorized=tool.access == "read",
        is_dry_run=caller.record.is_dry_run,
        hides_people=hides,
    )
    values = await resolved(call, values)
    caller.resolved(values)
    return call, values


async def _shown_dry_run(dry: DryRun, effects: Effects, *, must_be_confirmed: bool) -> types.CallToolResult:
    if not dry.requests:
        return repetition()
    question = await effects.question()
    return dry_run(dry.requests, question, must_be_confirmed=must_be_confirmed, unchecked=dry.unchecked)


async def _shown(caller: ToolCaller, answer: object, timezone: str | None, additional: Mapping[str, Any]) -> object:
    """Reduce an answer to what the agent may see and, by default, to what its next step needs."""
    shape = caller.record.tool.shape
    # The zone that was asked for, else the person's own, where it is known.
    zone = zone_of(timezone or await own_timezone(caller)) if tells_time(shape) else None
    return shown(
        shape,
        answer,
        zone,
        is_full=additional.get("detail") == "full",
        redacts=caller.principal.invitees_hidden_by is not None,
        passwords=additional.get("passwords", False),
    )


def _listing(tools: tuple[Tool, ...], *, output_schemas: bool) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[described(tool, output_schema=output_schemas) for tool in tools])


def described(tool: Tool, *, output_schema: bool = True) -> types.Tool:
    """A tool as clients see it in the list, with its output schema or without."""
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema if output_schema else None,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.access == "read",
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=True,
        ),
        _meta={**tool.meta, **view_of(tool)},
    )
