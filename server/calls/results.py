"""What a tool answered or why it failed, as MCP results: here, and nowhere else, the errors of all packages meet."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import mcp_types as types
from httpx2 import QueryParams
from pydantic_core import to_json

from calendly import errors as calendly
from calendly.request import Request
from calendly.third_party_text import shown
from server.calls.next_steps import PERSONAL_TOKEN, RETRYABLE, Advice, Confirms, Failure, Kind, meaning, next_step
from tools.answers.size_limit import fitted
from tools.toolset import errors as tools
from tools.toolset.lists import Resumption
from tools.toolset.question import Question
from tools.toolset.redaction import without_addresses
from tools.toolset.tool import Tool, Workflow

_KINDS: Final[Mapping[type[Exception], Kind]] = {
    calendly.InvalidArgument: "invalid_argument",
    calendly.Unauthenticated: "unauthenticated",
    calendly.InsufficientScope: "insufficient_scope",
    calendly.PermissionDenied: "permission_denied",
    calendly.NotFound: "not_found",
    calendly.Conflict: "conflict",
    calendly.RateLimited: "rate_limited",
    calendly.UpstreamError: "upstream_error",
    calendly.Unreachable: "upstream_unreachable",
    calendly.OutcomeUnknown: "outcome_unknown",
    tools.ArgumentError: "invalid_argument",
    tools.AlreadyBooked: "conflict",
    tools.KeyTaken: "conflict",
    tools.TooLate: "conflict",
    tools.DeniedByPolicy: "access_denied_by_policy",
    tools.NotRecorded: "access_denied_by_policy",
    tools.ConfirmationRequired: "confirmation_required",
    tools.Declined: "declined",
}

_INSIDE: Final = "event."
_INDEX: Final = re.compile(r"\[([0-9]+)\]")
"""The prefix of parameters in Calendly's errors about a booking: they name an object inside Calendly."""

_OURS: Final[Mapping[str, str]] = {"location_configuration": "location"}
"""Our names for parameters that Calendly's errors call otherwise, and for all below them."""

_NO_REASON: Final = "Internal Server Error"
"""Calendly's title of 400 answers that give no reason."""

_NO_DETAILS: Final = frozenset({None, "", "The supplied parameters are invalid."})
"""What Calendly's message says where only the details would say why."""

Problem = calendly.CalendlyError | tools.ToolError
"""Everything that a tool raises on purpose."""


def kind_of(problem: Problem) -> Kind:
    """Name the kind of a failure."""
    return _KINDS[type(problem)]


def success(answer: object, resumption: Resumption | None = None, text_offset: int = 0) -> types.CallToolResult:
    """Return an answer as structured content, and as the same in compact JSON.

    Args:
        answer: It, of any size.
        resumption: How its list goes on where it is cut.
        text_offset: Where the parts of long texts begin.
    """
    content = fitted(answer, _written, resumption, text_offset)
    text = types.TextContent(type="text", text=_written(content))
    return types.CallToolResult(content=[text], structured_content=content)


def dry_run(
    requests: Sequence[Request], question: Question, *, must_be_confirmed: bool, unchecked: Sequence[str] = ()
) -> types.CallToolResult:
    """Return what a writing call would have sent. Calendly might still refuse it.

    Args:
        requests: It, as it would go to Calendly, and what would follow it.
        question: What a person would be asked.
        must_be_confirmed: A person would be asked first.
        unchecked: What could not be looked into.
    """
    first, *others = map(_outline, requests)
    tried = {
        **first,
        **({"then": others} if others else {}),
        "effects": f"Unless Calendly refuses it, this call would: {question}",
        "must_be_confirmed": must_be_confirmed,
    }
    return success({"dry_run": {**tried, "unchecked": list(unchecked)} if unchecked else tried})


def _outline(request: Request) -> dict[str, object]:
    query = f"?{QueryParams(request.parameters)}" if request.parameters else ""
    return {"method": request.endpoint.method, "path": f"{request.path}{query}", "body": request.body}


def repetition() -> types.CallToolResult:
    """Answer that a writing call would send nothing."""
    effects = "Nothing would be sent: an earlier call took this idempotency_key, and its booking is the answer."
    return success({"dry_run": {"effects": effects, "must_be_confirmed": False}})


def failure(
    problem: Problem, tool: Tool, advice: Advice = PERSONAL_TOKEN, *, hides_invitees: bool = False
) -> types.CallToolResult:
    """Answer with why a tool failed and what to do next, `advice` on tokens included.

    Args:
        problem: Why.
        tool: Which.
        advice: What helps when the token does not.
        hides_invitees: The agent may not see data of invitees, so no address that Calendly's sentences may repeat.
    """
    facts = _facts(problem, tool)
    error = {
        "kind": facts.kind,
        "status": facts.status,
        "title": getattr(problem, "title", None),
        "message": facts.message,
        "details": _details(problem, tool),
        "required_scopes": list(facts.scopes),
        "retry_after": facts.retry_after,
        "retryable": facts.kind in RETRYABLE or facts.goes_on,
        "next_step": next_step(facts, tool, advice),
        "confirmation": getattr(problem, "token", None),
        "confirm_url": getattr(problem, "url", None),
    }
    applying = {name: value for name, value in error.items() if value is not None and value != []}
    content: dict[str, Any] = {"error": applying}
    text = _text(problem, applying, meaning(facts, tool, advice))
    if hides_invitees and isinstance(problem, calendly.CalendlyError):
        content, text = without_addresses(content, text)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)], structured_content=content, is_error=True
    )


def _written(content: object) -> str:
    return to_json(content).decode()


def _facts(problem: Problem, tool: Tool) -> Failure:
    said = problem if isinstance(problem, calendly.CalendlyError) else None
    refusal = problem if isinstance(problem, calendly.CalendlyRefusal) else None
    named = [str(detail["parameter"]) for detail in _details(problem, tool) if "parameter" in detail]
    ours = [name for name in named if said is None or not tool.lacks(name)]
    return Failure(
        kind=kind_of(problem),
        status=said.status if said else None,
        message=" ".join(filter(None, [said.message, said.added])) if said and said.message else str(problem),
        parameters=tuple(dict.fromkeys(ours)),
        is_foreign=bool(named) and not ours,
        scopes=refusal.required_scopes if refusal else (),
        retry_after=refusal.retry_after if refusal else None,
        confirms=_confirms(problem),
        own_step=problem.next_step if isinstance(problem, tools.ToolError) else None,
        is_unrecorded=isinstance(problem, tools.NotRecorded),
        is_unexplained=isinstance(problem, calendly.InvalidArgument) and _is_unexplained(problem),
        goes_on=isinstance(problem, calendly.OutcomeUnknown) and problem.goes_on,
    )


def _is_unexplained(refused: calendly.InvalidArgument) -> bool:
    """Return whether Calendly refused the arguments without a reason, or with the words of a failure of its own."""
    says_nothing = refused.title == _NO_REASON or refused.message in _NO_DETAILS
    return refused.status is not None and says_nothing and not refused.details and not refused.added


def _confirms(problem: Problem) -> Confirms:
    if not isinstance(problem, tools.ConfirmationRequired) or problem.url is None:
        return "in the chat"
    return "on the page alone" if problem.only_page else "on the page too"


def _details(problem: Problem, tool: Tool) -> list[Mapping[str, Any]]:
    if isinstance(problem, calendly.CalendlyError):
        return [_in_our_words(detail, tool) for detail in problem.details]
    if isinstance(problem, tools.ArgumentError):
        return list(problem.faults)
    return []


def _in_our_words(detail: Mapping[str, Any], tool: Tool) -> Mapping[str, Any]:
    """Return an entry of Calendly's with our name of its parameter; a workflow without that one names none."""
    if "parameter" not in detail:
        return detail
    path = _INDEX.sub(r".\1", str(detail["parameter"]).removeprefix(_INSIDE))
    name = tool.own_path(_OURS.get(path.partition(".")[0], path))
    rest = {key: value for key, value in detail.items() if key != "parameter"}
    return rest if isinstance(tool, Workflow) and tool.lacks(name) else {"parameter": name, **rest}


def _text(problem: Problem, error: Mapping[str, Any], means: str) -> str:
    """The failure for an agent whose client shows it the text only: nothing is left out."""
    details = [shown(_line(detail)) for detail in error.get("details", [])]
    said = [] if isinstance(problem, tools.ArgumentError) else [str(problem)]
    if isinstance(problem, calendly.CalendlyError):  # words of others, which must not look like lines of ours
        said = [shown(said[0])]
    if isinstance(problem, calendly.CalendlyError) and problem.message and problem.message not in said[0]:
        said.append(f"Calendly answered {problem.status} {problem.title}: {problem.message}")
    scopes = [f"Scopes needed: {' '.join(error['required_scopes'])}"] if "required_scopes" in error else []
    token = [f"{name}: {error[name]}" for name in ("confirm_url", "confirmation") if name in error]
    return "\n".join([*said, *details, means, *scopes, f"Next: {error['next_step']}", *token])


def _line(detail: Mapping[str, Any]) -> str:
    parameter, code = detail.get("parameter"), detail.get("code")
    return f"- {f'{parameter}: ' if parameter else ''}{detail.get('message', '')}{f' ({code})' if code else ''}"
