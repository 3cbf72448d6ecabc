"""What the audit log says of a call: the one place where entries of calls are made.

A call has one entry, written when it is over. Before a call that writes sends anything, the decision about it is stored
as an entry of its own; a writing call made from inside another tool has a pair of entries of its own.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, cast

import mcp_types as types

from auth.access.levels import Decision
from auth.audit.entries import AuditEntry, EntryKind, Redactor, cut
from auth.audit.log import AuditLog, AuditLogUnavailable
from calendly.errors import CalendlyError
from calendly.identifiers import Identifier, InvalidIdentifier, OrganizationId, UserId
from calendly.request import Request
from server.calls.confirm import InputRequired
from server.calls.principal import Principal
from server.calls.results import kind_of
from tools.fields import Reference
from tools.toolset.audit_sentences import AuditedArguments
from tools.toolset.errors import (
    AlreadyBooked,
    ArgumentError,
    ConfirmationRequired,
    Declined,
    KeyTaken,
    NotRecorded,
    TooLate,
    ToolError,
)
from tools.toolset.identity import Identity
from tools.toolset.tool import EndpointTool, Tool

_log: Final = logging.getLogger(__name__)

Transport = Literal["stdio", "http"]

_WHOSE: Final[Mapping[str, str]] = {
    "operator": "the operator's rule",
    "person": "the person's choice",
    "token": "its token",
    "calendly": "Calendly",
    "request": "the request itself",
}

_OF_THIS_SERVER: Final[Mapping[type[ToolError], str]] = {
    ArgumentError: "the arguments cannot be sent",
    AlreadyBooked: "the same booking exists",
    KeyTaken: "the idempotency key stands for another booking",
    TooLate: "what it would end is over already",
    NotRecorded: "the audit log cannot be written",
}
"""The refusals that follow from no decision about access."""


@dataclass(frozen=True, slots=True)
class AuditedDecision:
    """The decision about a tool in a call, and how a person agreed where it had to be asked."""

    tool: Tool
    decision: Decision
    confirmed: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: in a word of the audit log, with Calendly's status, and how many rows it found."""

    word: str
    status: int | None = None
    found: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What is known of a call at one moment; an entry is drafted from it later."""

    request_id: str
    time: datetime
    tool: Tool
    principal: Principal
    transport: Transport
    identity: Identity | None
    values: Mapping[str, Any]
    decided: AuditedDecision | None = None
    is_dry_run: bool = False
    problem: Exception | None = None
    outcome: Outcome | None = None
    duration: float | None = None


@dataclass(kw_only=True)
class CallRecord:
    """The audit entries of one call, while it goes on.

    Attributes:
        request_id: Its id in the log and in the audit log.
        tool: What was called.
        principal: Who called.
        transport: How the call came.
        values: Its arguments, once they are understood.
        is_dry_run: It is only tried.
        identity: Tells who the person is, where that came out.
        decisions: What was decided, by the name of the tool.
        problem: Why the call was not answered.
        outcome: How it ended.
        is_silent: It has no entry of its own.
    """

    audit_log: AuditLog
    request_id: str
    time: datetime
    tool: Tool
    principal: Principal
    transport: Transport
    clock: Callable[[], float]
    started: float
    identity: Callable[[], Identity | None]
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    is_dry_run: bool = False
    decisions: dict[str, AuditedDecision] = field(default_factory=dict[str, AuditedDecision])
    problem: Exception | None = None
    outcome: Outcome = Outcome("canceled")
    is_silent: bool = False

    def understood(self, values: Mapping[str, Any], *, is_dry_run: bool) -> None:
        """Note the arguments, which were checked, and whether the call is only tried."""
        said = {name: _said(value) for name, value in values.items()}
        self.values, self.is_dry_run = said, is_dry_run

    def decided(self, decided: AuditedDecision) -> None:
        """Note what was decided about a tool."""
        self.decisions[decided.tool.name] = decided

    def refused(self, request: Request, decision: Decision) -> None:
        """Note that a request which had been allowed is refused after all."""
        decided = self._decision_of(request)
        if decided is not None:
            self.decided(replace(decided, decision=decision))

    def answered(self, result: types.CallToolResult) -> None:
        """Note what the call answered."""
        self.outcome = _answered(result)

    def failed(self, problem: Exception) -> None:
        """Note why the call was not answered."""
        self.problem, self.outcome = problem, _failed(problem)

    def close(self) -> None:
        """Record the end of the call; one of which nothing was noted was canceled."""
        duration = self._elapsed()
        if not self.is_silent:
            decided = self.decisions.get(self.tool.name)
            self._put(self._facts(decided, None, problem=self.problem, outcome=self.outcome, duration=duration))
        _log.info("%s: %s in %.3f s (%s)", self.tool.name, self.outcome.word, duration, self.request_id)

    @asynccontextmanager
    async def sending(self, request: Request) -> AsyncGenerator[None]:
        """Send a request inside: where it writes, after the decision about it is stored.

        Raises:
            NotRecorded: It cannot be stored, so nothing may be sent.
        """
        decided = self._decision_of(request)
        if decided is None or decided.tool.access == "read":
            yield
            return
        facts = self._facts(decided, request)
        try:
            await self.audit_log.keep(lambda redactor: _entry("begun", facts, redactor))
        except AuditLogUnavailable as fault:
            raise NotRecorded(
                f"Nothing was sent, because what writes has to be recorded first, and the audit log cannot be written. "
                f"{fault} {self.audit_log.remedy}".rstrip()
            ) from fault
        if decided.tool is self.tool:  # its end is the end of the call
            yield
            return
        try:
            yield
        except CalendlyError as problem:
            self._put(replace(facts, problem=problem, outcome=_failed(problem), duration=self._elapsed()))
            raise
        self._put(replace(facts, outcome=Outcome("answered"), duration=self._elapsed()))

    def _decision_of(self, request: Request) -> AuditedDecision | None:
        return next(
            (
                decided
                for decided in self.decisions.values()
                if isinstance(decided.tool, EndpointTool) and decided.tool.endpoint == request.endpoint
            ),
            None,
        )

    def _put(self, facts: _Facts) -> None:
        self.audit_log.put(lambda redactor: _entry("ended", facts, redactor))

    def _elapsed(self) -> float:
        return round(self.clock() - self.started, 3)

    def _facts(
        self,
        decided: AuditedDecision | None,
        request: Request | None,
        *,
        problem: Exception | None = None,
        outcome: Outcome | None = None,
        duration: float | None = None,
    ) -> _Facts:
        tool = decided.tool if decided else self.tool
        is_own = tool is self.tool
        sent = {**request.ids, **(request.body or {})} if request and not is_own else {}
        return _Facts(
            request_id=self.request_id if is_own else self.audit_log.new_id(),
            time=self.time if is_own else self.audit_log.now(),
            tool=tool,
            principal=self.principal,
            transport=self.transport,
            identity=self.principal.identity or self.identity(),
            values=self.values if is_own else sent,
            decided=decided,
            is_dry_run=self.is_dry_run,
            problem=problem,
            outcome=outcome,
            duration=duration,
        )


def _said(value: object) -> object:
    """An argument as it was written, where it is a name that is not looked up yet."""
    if isinstance(value, list):
        return [_said(item) for item in cast("list[object]", value)]
    return value.text if isinstance(value, Reference) else value


def _answered(result: types.CallToolResult) -> Outcome:
    content = cast("Mapping[str, object]", result.structured_content or {})
    rows = content.get("collection")
    return Outcome("answered", found=len(cast("list[object]", rows)) if isinstance(rows, list) else None)


def _failed(problem: Exception) -> Outcome:
    if isinstance(problem, CalendlyError):
        return Outcome(kind_of(problem), problem.status)
    if isinstance(problem, ToolError):
        return Outcome(kind_of(problem))
    return Outcome("confirmation_required" if isinstance(problem, InputRequired) else "internal_error")


def _entry(kind: EntryKind, facts: _Facts, redactor: Redactor) -> AuditEntry:
    tool, principal, decided = facts.tool, facts.principal, facts.decided
    # Of a personal token nobody may know yet whose it is: then it is the token that the audit log tells from others.
    uri = facts.identity.user.uri if facts.identity else principal.person
    person = redactor.hash(principal.account.user) if uri is None else redactor.name(uri)
    decision, rule, source = _decision(facts)
    return AuditEntry(
        time=facts.time,
        kind=kind,
        request_id=facts.request_id,
        person=person,
        agent=cut(principal.agent.name) or None,
        named_by=principal.agent.named_by,
        grant=principal.agent.grant,
        action="dry_run" if facts.is_dry_run and tool.access == "write" else tool.access,
        tool=tool.name,
        endpoint=str(tool.endpoint) if isinstance(tool, EndpointTool) else None,
        organization=_organization(facts),
        resource=_resource(facts, redactor),
        transport=facts.transport,
        decision=decision,
        rule=rule,
        source=source,
        confirmed=decided.confirmed if decided else None,
        outcome=facts.outcome.word if facts.outcome else None,
        status=facts.outcome.status if facts.outcome else None,
        duration=facts.duration,
        sentence=_sentence(facts, AuditedArguments(facts.values, person, redactor), decision),
    )


def _decision(facts: _Facts) -> tuple[str, str | None, str | None]:
    """What was decided, by which rule, and whose rule it is."""
    decided, problem = facts.decided, facts.problem
    own = next((rule for kind, rule in _OF_THIS_SERVER.items() if isinstance(problem, kind)), None)
    if own is not None:
        return "refused", own, "server"
    if decided is None:
        return "allowed", None, None
    rule, source = decided.decision.rule, str(decided.decision.source)
    if decided.decision.verdict == "deny":
        return "refused", rule, source
    if isinstance(problem, Declined):
        return "declined", rule, source
    if isinstance(problem, ConfirmationRequired | InputRequired):
        return "asked", rule, source
    return ("tried" if facts.is_dry_run and facts.tool.access == "write" else "allowed"), rule, source


def _sentence(facts: _Facts, arguments: AuditedArguments, decision: str) -> str:
    audit = facts.tool.audit
    told, agent = audit.told(arguments), cut(facts.principal.agent.name) or "an agent without a name"
    outcome = facts.outcome
    if outcome is None:
        return f"{agent} began to {audit.verb} {told}: allowed{_confirmed(facts)}"
    if decision == "tried" and outcome.word == "answered":
        return f"{agent} tried out to {audit.verb} {told}: nothing was sent"
    if decision == "allowed" and outcome.word == "answered":
        found = "" if outcome.found is None else f", {outcome.found} found"
        return f"{agent} {audit.past} {told}: allowed{_confirmed(facts)}{found}"
    return f"{agent} tried to {audit.verb} {told}: {_failure(facts, outcome)}"


def _failure(facts: _Facts, outcome: Outcome) -> str:
    decision, rule, source = _decision(facts)
    if decision == "refused":
        whose = _WHOSE.get(source or "")
        return f"refused, {rule}{f' ({whose})' if whose else ''}"
    if decision == "asked":
        unshown = isinstance(facts.problem, ConfirmationRequired) and facts.problem.is_unshown
        return f"{'the client did not show the question, ' * unshown}a person is to be asked first, {rule}"
    if decision == "declined":
        return "a person was asked and did not agree"
    words = outcome.word.replace("_", " ")
    status = "" if outcome.status is None else f" ({outcome.status})"
    return f"allowed{_confirmed(facts)}, {words}{status}"


def _confirmed(facts: _Facts) -> str:
    confirmed = facts.decided.confirmed if facts.decided else None
    return "" if confirmed is None else f", confirmed {confirmed}"


def _organization(facts: _Facts) -> str | None:
    named = facts.values.get("organization")
    if isinstance(named, OrganizationId):
        return named.uri
    own = facts.identity.organization if facts.identity else None
    return own.uri if own else None


def _resource(facts: _Facts, redactor: Redactor) -> str | None:
    """The first resource that the arguments name; a user as people are recorded."""
    for value in facts.values.values():
        if isinstance(value, Identifier) and not isinstance(value, OrganizationId):
            if isinstance(value, UserId):
                return None if value.is_me else redactor.name(value.uri)
            return _uri(value)
    parameters = facts.tool.endpoint.parameters if isinstance(facts.tool, EndpointTool) else ()
    placed = ((name, facts.values.get(name)) for name in parameters if name != "organization")
    found = next(((name, value) for name, value in placed if isinstance(value, str)), None)
    if found is None:
        return None
    name, text = found
    return redactor.name(text) if name == "user" else cut(text)


def _uri(identifier: Identifier) -> str:
    try:
        return identifier.uri
    except InvalidIdentifier:
        return identifier.uuid
