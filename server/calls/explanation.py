"""What a call of a tool would meet, and which rule decides, in words for a person at the terminal. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from auth.access.levels import OFF, Access, Decision, Source, conditions, daily_limit, is_browser_only, least
from auth.access.text import spell_access
from calendly.scopes import includes
from server.calls.next_steps import Failure, next_step
from server.calls.principal import Principal, is_for_lack_of_scope
from server.calls.selection import Selection, SwitchedOff
from tools.toolset.redaction import INVITEE_DATA, tells_of_invitees
from tools.toolset.tool import Tool, Workflow

_SOURCES: Final[dict[Source, str]] = {
    "operator": "the operator's ceiling",
    "person": "the person's choice",
    "token": "the scopes of the agent's token",
    "calendly": "what Calendly granted",
    "request": "the request itself",
}
_BY_CLIENT: Final = (
    "through the client, where it can ask its user; else the agent gets the question and a one-time token, to come "
    "back with once its user agreed"
)
_BY_BROWSER: Final = (
    "on this server's own page, where the signed-in person approves the call; nothing else counts, and only the hosted "
    "endpoint has one"
)


@dataclass(frozen=True, slots=True)
class ExplainedAgent:
    """Whose calls are explained: how the agent is shown, and for whom and under what it acts."""

    shown: str
    principal: Principal


def explain(tool: Tool, agent: ExplainedAgent, selection: Selection) -> str:
    """Say what becomes of a call of a tool, and why.

    Args:
        tool: Which.
        agent: Whose.
        selection: The tools that the operator left on.
    """
    principal = agent.principal
    decision = principal.decide(tool)
    switched_off = selection.refusals.get(tool.name)
    rows = [
        ("tool", f"{tool.name}: {tool.access}s, {_facts(tool)}"),
        *_calls(tool, principal),
        ("agent", agent.shown),
        ("a call", "is refused" if switched_off else _outcome(tool, decision, principal)),
        *_reason(tool, decision, principal, switched_off),
        ("listed", "yes" if not switched_off and principal.sees(tool) else "no"),
        *_levels(tool, principal),
        *_scopes(tool, principal),
    ]
    if not switched_off and decision.verdict != "deny":
        rows += [*_conditions(tool, principal), *_asking(tool, decision, principal), *_withheld(tool, principal)]
    return "".join(f"{name:<12}{value}\n" for name, value in rows)


_Rows = Iterator[tuple[str, str]]


def _facts(tool: Tool) -> str:
    one = len(tool.needs) == 1
    capabilities, scopes = ", ".join(tool.capabilities), ", ".join(tool.scopes)
    return f"capability {capabilities}, scope {scopes}" if one else f"capabilities {capabilities}; scopes {scopes}"


def _calls(tool: Tool, principal: Principal) -> _Rows:
    if isinstance(tool, Workflow):
        yield "calls", ", ".join(endpoint.name for endpoint in tool.required)
        if tool.optional:
            yield (
                "if allowed",
                ", ".join(f"{endpoint.name} ({_may(endpoint, principal)})" for endpoint in tool.optional),
            )


def _may(endpoint: Tool, principal: Principal) -> str:
    return "it is not" if principal.decide(endpoint).verdict == "deny" else "it is"


def _outcome(tool: Tool, decision: Decision, principal: Principal) -> str:
    if is_for_lack_of_scope(decision) and principal.steps_up:
        return "is refused, and the client sends its person to allow more"
    outcomes = {"deny": "is refused", "ask": "is asked of a person first", "allow": "is carried out without asking"}
    limited = any(
        conditions(endpoint.capability, principal.limits) or daily_limit(endpoint.capability, principal.limits)
        for endpoint in tool.writes
    )
    within = ", within the conditions below" if limited and decision.verdict != "deny" else ""
    return f"{outcomes[decision.verdict]}{within}"


def _reason(tool: Tool, decision: Decision, principal: Principal, switched_off: SwitchedOff | None) -> _Rows:
    if switched_off:
        yield "because", switched_off.told
        return
    yield "because", f"{decision.rule} ({_SOURCES[decision.source]})"
    yield "changed by", _remedy(tool, decision, principal)


def _remedy(tool: Tool, decision: Decision, principal: Principal) -> str:
    if is_for_lack_of_scope(decision):
        return next_step(Failure(kind="insufficient_scope", scopes=tool.scopes), tool, principal.advice)
    return principal.who_changes(decision.source)


def _levels(tool: Tool, principal: Principal) -> _Rows:
    ceiling, chosen = principal.limits.ceiling, principal.limits.chosen
    yield "operator", _spelled(tool, ceiling)
    if chosen is None:
        yield "person", "is the operator"
        return
    yield "person", _spelled(tool, chosen)
    yield "together", _spelled(tool, least((ceiling, chosen)))


def _spelled(tool: Tool, access: Access) -> str:
    return spell_access({capability: access.get(capability, OFF) for capability in tool.capabilities})


def _scopes(tool: Tool, principal: Principal) -> _Rows:
    for source, scopes, unknown in (
        ("token", principal.limits.scopes, "is the person's own: the agent has none of ours"),
        ("calendly", principal.limits.granted, "does not say: it refuses what its token does not cover"),
    ):
        if scopes is None:
            yield source, unknown
        else:
            missing = [scope for scope in tool.scopes if not includes(scopes, {scope})]
            has = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(tool.scopes)}"
            yield source, f"{has}: {' '.join(sorted(scopes)) or 'no scope at all'}"


def _conditions(tool: Tool, principal: Principal) -> _Rows:
    for capability in [endpoint.capability for endpoint in tool.writes]:
        for condition in conditions(capability, principal.limits):
            yield "condition", f"{condition.rule} ({_SOURCES[condition.source]})"
        limit = daily_limit(capability, principal.limits)
        if limit is not None:
            most, source = limit
            yield "condition", f"{capability} is limited to {most} within 24 hours ({_SOURCES[source]})"


def _asking(tool: Tool, decision: Decision, principal: Principal) -> _Rows:
    if decision.verdict == "ask":
        on_page = any(is_browser_only(endpoint.capability, principal.limits) for endpoint in tool.writes)
        yield "asked", _BY_BROWSER if on_page else _BY_CLIENT


def _withheld(tool: Tool, principal: Principal) -> _Rows:
    source = principal.invitees_hidden_by
    if source is not None and tells_of_invitees(tool.shape):
        yield "left out", f"what answers tell about invitees: {INVITEE_DATA} is off ({_SOURCES[source]})"
