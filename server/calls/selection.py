"""Which tools an agent sees and may call, and why it may not call another. Pure: names and rules in, a selection out.

The operator selects by toolset, by single tools, by exclusion, by read-only and by level; a hosted request may narrow
that further by its headers, never widen it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from auth.access.levels import CAPABILITIES, Access, Decision, Limits, decide_all
from calendly.scopes import includes
from server.calls.principal import ACCESS_SETTING, Principal, operation_of
from server.configuration.settings import DEFAULT_TOOLSETS
from server.configuration.terminal import UsageError, suggestion
from server.configuration.values import split
from tools.toolset.tool import EXTENDED, HostedWorkflow, SingleTool, Tool

_EXCLUSION = "--exclude-tools (CALENDLY_MCP_EXCLUDE_TOOLS)"
_OPERATOR = "Whoever started this server can change that with {setting}."
_HOSTED_ONLY = (
    "Calendly can post to a hosted endpoint only, and this server is none",
    (
        "It works without: list_received_events looks at Calendly. A hosted endpoint is another server, which "
        "`calendly-mcp http` starts and people sign in to."
    ),
)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the operator asked for. `toolsets` and `tools` add up, and exclusion wins over both.

    Attributes:
        toolsets: Names of toolsets or capabilities; None when none were given.
        tools: Names of single tools; None when none were given.
        exclude_tools: Names of tools that are off.
        read_only: Whether every tool that writes is off.
        ceiling: What is allowed of every capability.
        scopes: The scopes that a token can have here, None where any can be.
        is_hosted: People sign in to the server.
    """

    toolsets: tuple[str, ...] | None = None
    tools: tuple[str, ...] | None = None
    exclude_tools: tuple[str, ...] = ()
    read_only: bool = False
    ceiling: Access
    scopes: frozenset[str] | None = None
    is_hosted: bool = False


@dataclass(frozen=True, slots=True)
class SwitchedOff:
    """Why a tool is off, and what an agent is told that calls it nevertheless."""

    decision: Decision
    told: str


@dataclass(frozen=True)
class Selection:
    """The tools that are on, in the order of their declaration, and for every other one the sentence why it is off.

    Attributes:
        listed: What an agent sees.
        refusals: By tool name, why it is off.
        summary: What the operator switched off, in a few phrases.
        families_off: The toolsets of further operations of which no tool was chosen.
    """

    listed: tuple[Tool, ...]
    refusals: Mapping[str, SwitchedOff]
    summary: tuple[str, ...] = ()
    families_off: tuple[str, ...] = ()


def select(tools: tuple[Tool, ...], rules: Rules) -> Selection:
    """Apply the operator's rules.

    Raises:
        UsageError: A rule names a toolset or a tool that does not exist, or none at all.
    """
    _check_names(tools, rules)
    chosen = _chosen(tools, rules)
    reasons = {tool.name: _reason(tool, chosen, rules) for tool in tools}
    return Selection(
        listed=tuple(tool for tool in tools if not reasons[tool.name]),
        refusals={
            tool.name: SwitchedOff(Decision("deny", reason[0], "operator"), refusal(tool, *reason))
            for tool in tools
            if (reason := reasons[tool.name])
        },
        summary=_summary(tools, chosen, rules),
        families_off=_families_off(tools, chosen),
    )


def narrow(
    tools: tuple[Tool, ...], selection: Selection, *, toolsets: str | None, names: str | None, read_only: bool
) -> Selection:
    """Apply what a request asks for itself in `X-MCP-Toolsets`, `X-MCP-Tools` and `X-MCP-Readonly`.

    The names of both headers add up; unknown ones add nothing, so that headers without a known name leave no tools.
    """
    wanted = {tool.name for tool in selection.listed}
    if toolsets is not None or names is not None:
        members = _members(tools)
        wanted &= set().union(set(split(names or "")), *(members.get(name, ()) for name in split(toolsets or "")))
    kept = tuple(tool for tool in selection.listed if tool.name in wanted and not (read_only and _writes(tool)))
    left_out = Decision("deny", "the X-MCP headers of the request leave it out", "request")
    dropped = {
        tool.name: SwitchedOff(
            left_out, refusal(tool, left_out.rule, "Whoever configured this client can change that.")
        )
        for tool in selection.listed
        if tool not in kept
    }
    return replace(selection, listed=kept, refusals={**selection.refusals, **dropped})


def refusal(tool: Tool, rule: str, remedy: str = _OPERATOR.format(setting=ACCESS_SETTING)) -> str:
    """What an agent is told that calls a tool against `rule`: the rule, and who can change it."""
    kind = "capability" if len(tool.capabilities) == 1 else "capabilities"
    return f"{tool.name} ({kind} {' and '.join(tool.capabilities)}) is switched off: {rule}. {remedy}"


def refusal_of(tool: Tool, decision: Decision, principal: Principal) -> str:
    """What an agent is told of a call that access denies: the rule, who can change it, and what else that takes."""
    who, limits = principal.who_changes(decision.source), principal.limits
    known = [scopes for scopes in (limits.scopes, limits.granted) if scopes is not None]
    lacking = [scope for scope in tool.scopes if not all(includes(scopes, {scope}) for scopes in known)]
    if decision.source == "person" and lacking:
        who = f"{who} The app has to sign in again then, for {' '.join(lacking)}."
    return refusal(tool, decision.rule, who)


def objection_of(objection: Decision, principal: Principal) -> str:
    """What an agent is told of a call that is outside a condition."""
    return f"This call is outside what is allowed: {objection.rule}. {principal.who_changes(objection.source)}"


def _members(tools: Iterable[Tool]) -> dict[str, set[str]]:
    """The names of the tools behind each toolset's and each capability's name; a toolset's name wins.

    A workflow belongs to no capability: it takes several.
    """
    capabilities: dict[str, set[str]] = {}
    toolsets: dict[str, set[str]] = {}
    for tool in tools:
        if isinstance(tool, SingleTool):
            capabilities.setdefault(tool.capability, set()).add(tool.name)
        for toolset in (*tool.toolsets, "all"):
            toolsets.setdefault(toolset, set()).add(tool.name)
    return capabilities | toolsets


def _check_names(tools: tuple[Tool, ...], rules: Rules) -> None:
    names = [tool.name for tool in tools]
    is_given = rules.toolsets is not None or rules.tools is not None
    if is_given and not rules.toolsets and not rules.tools:
        raise UsageError("No toolset and no tool is named, so there would be none; `calendly-mcp tools` lists all.")
    for kind, given, known in (
        ("toolset", rules.toolsets or (), list(_members(tools))),
        ("tool", rules.tools or (), names),
        ("tool", rules.exclude_tools, names),
    ):
        for name in given:
            if name not in known:
                hint = suggestion(name, known) or "`calendly-mcp tools` lists them all."
                raise UsageError(f'There is no {kind} "{name[:60]}"; {hint}')


def _chosen(tools: tuple[Tool, ...], rules: Rules) -> set[str]:
    toolsets = rules.toolsets
    if toolsets is None:
        toolsets = DEFAULT_TOOLSETS if rules.tools is None else ()
    members = _members(tools)
    return {*(rules.tools or ()), *(name for toolset in toolsets for name in members.get(toolset, ()))}


def _reason(tool: Tool, chosen: set[str], rules: Rules) -> tuple[str, str] | None:
    """Why a tool is off and what helps, or None."""
    if isinstance(tool, HostedWorkflow) and not rules.is_hosted:
        return _HOSTED_ONLY
    decision = _under(rules.ceiling, tool)
    excluded = [endpoint.name for endpoint in tool.calls if endpoint.name in rules.exclude_tools]
    table = (
        (tool.name in rules.exclude_tools, "it is excluded", _EXCLUSION),
        (bool(excluded), f"it calls {' and '.join(excluded)}, which is excluded", _EXCLUSION),
        (
            tool.name not in chosen,
            f"the toolset {tool.toolsets[0]} is not on",
            f"--toolsets …,{tool.toolsets[0]} or --tools (CALENDLY_MCP_TOOLSETS, CALENDLY_MCP_TOOLS)",
        ),
        (
            rules.read_only and _writes(tool),
            "the server is read-only",
            "another start, without --read-only (CALENDLY_MCP_READ_ONLY)",
        ),
        (decision.verdict == "deny", decision.rule, ACCESS_SETTING),
        (
            rules.scopes is not None and not includes(rules.scopes, set(tool.scopes)),
            f"the server's application at Calendly is not registered for {' and '.join(tool.scopes)}",
            "CALENDLY_SCOPES",
        ),
    )
    return next(((rule, _OPERATOR.format(setting=setting)) for applies, rule, setting in table if applies), None)


def _under(ceiling: Access, tool: Tool) -> Decision:
    return decide_all(map(operation_of, tool.needs), Limits(ceiling=ceiling))


def _writes(tool: Tool) -> bool:
    return tool.access == "write"


def _summary(tools: tuple[Tool, ...], chosen: set[str], rules: Rules) -> tuple[str, ...]:
    denied = {decision.rule for tool in tools if (decision := _under(rules.ceiling, tool)).verdict == "deny"}

    def left_out(tool: Tool) -> bool:
        return tool.name not in chosen and EXTENDED not in tool.toolsets

    phrases = [f"{name} is {allowance.level}" for name in CAPABILITIES if (allowance := rules.ceiling.get(name))]
    return (
        *(["everything that writes"] if rules.read_only else []),
        *(phrase for phrase in phrases if phrase in denied),
        *(f"{name} is excluded" for name in rules.exclude_tools),
        *(["tools outside the selected toolsets"] if any(map(left_out, tools)) else []),
    )


def _families_off(tools: tuple[Tool, ...], chosen: set[str]) -> tuple[str, ...]:
    """Return the families that are wholly off, in their order."""
    families = dict.fromkeys(tool.toolsets[0] for tool in tools if EXTENDED in tool.toolsets)
    on = {tool.toolsets[0] for tool in tools if tool.name in chosen}
    return tuple(family for family in families if family not in on)
