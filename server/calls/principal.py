"""The principal of a request: a person, the agent that acts for them, and the limits of both."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, Protocol

from auth.access.levels import Decision, Limits, Operation, Source, decide_all
from calendly.identifiers import CALENDLY_ORIGIN
from calendly.request import Account
from server.calls.confirm import Context
from server.calls.next_steps import PERSONAL_TOKEN, Advice
from tools.toolset.identity import Identity
from tools.toolset.redaction import INVITEE_DATA
from tools.toolset.tool import SingleTool, Tool

ScopeNote = Callable[[Iterable[str]], Awaitable[str | None]]

_LONGEST_NAME = 80

ACCESS_SETTING: Final = "--access (CALENDLY_MCP_ACCESS)"


async def _nothing_to_add(_scopes: Iterable[str]) -> None:
    """Know nothing of scopes that were lost."""


@dataclass(frozen=True, slots=True)
class AuditedAgent:
    """An agent as the audit log names it.

    Attributes:
        name: Its name, empty where nobody says it.
        named_by: Who says so: the `client` of itself, the `operator`, or the client when it `registered`.
        grant: What the person allowed it, on the hosted endpoint.
    """

    name: str = ""
    named_by: Literal["client", "operator", "registered"] | None = None
    grant: str | None = None


@dataclass(frozen=True, kw_only=True)
class Principal:
    """A person and the agent that acts for them, for the length of one request.

    Attributes:
        account: On whose behalf Calendly is asked. Confirmations and idempotency keys are bound to its user and agent.
        identity: Who the person is, None where Calendly has to be asked.
        limits: What stands over the agent.
        changes_at: Where the person changes what they chose, as the end of a sentence; empty where they did not.
        steps_up: A call that lacks a scope makes the client ask the person for it, so such tools are listed.
        advice: What helps when the token does not.
        agent: The agent, as the audit log names it.
        note: Says of scopes whether Calendly granted them once and no longer does.
    """

    account: Account
    identity: Identity | None = None
    limits: Limits
    changes_at: str = ""
    steps_up: bool = False
    advice: Advice = field(default_factory=lambda: PERSONAL_TOKEN)
    agent: AuditedAgent = field(default_factory=AuditedAgent)
    note: ScopeNote = _nothing_to_add
    _decisions: dict[str, Decision] = field(default_factory=dict[str, Decision], init=False, repr=False, compare=False)

    @property
    def person(self) -> str | None:
        """The person's user URI, None while nothing but their token is known."""
        return self.account.user if self.account.user.startswith(CALENDLY_ORIGIN) else None

    def sees(self, tool: Tool) -> bool:
        """Whether the agent is shown a tool that is on."""
        decision = self.decide(tool)
        return decision.verdict != "deny" or (self.steps_up and is_for_lack_of_scope(decision))

    @cached_property
    def invitees_hidden_by(self) -> Source | None:
        """Who made the rule that hides invitees from answers; None without such a rule."""
        for source, allowance in self.limits.of(INVITEE_DATA):
            if allowance.level == "off":
                return source
        return None

    def who_changes(self, source: Source) -> str:
        """Return the sentence that says who can change a rule."""
        if source == "person":
            return f"The person it acts for can change that{self.changes_at}."
        if self.limits.chosen is not None and self.limits.chosen_by == "operator":
            return (
                f"Whoever runs this server can change that, with {ACCESS_SETTING} or with a token of other levels; "
                f"what the token alone forbids, the person it acts for can change too{self.changes_at}."
            )
        return f"Whoever started this server can change that with {ACCESS_SETTING}."

    def decide(self, tool: Tool) -> Decision:
        """Decide about calls of a tool, conditions apart: once, since nothing that it depends on changes."""
        decision = self._decisions.get(tool.name)
        if decision is None:
            decision = self._decisions[tool.name] = decide_all(map(operation_of, tool.needs), self.limits)
        return decision


def operation_of(tool: SingleTool) -> Operation:
    """Return what access decides about when a tool is called."""
    return Operation(tool.capability, tool.access, tool.scope)


def is_for_lack_of_scope(decision: Decision) -> bool:
    """Say whether a new sign-in could give what a refused call lacks."""
    return decision.verdict == "deny" and decision.source in {"token", "calendly"}


class Principals(Protocol):
    """Finds the principal of a request."""

    def of(self, context: Context) -> Principal:
        """Return the principal of a request, the same for all that is asked about it."""
        ...


@dataclass(frozen=True, slots=True)
class OnePerson:
    """Whoever reaches this process acts for the same person, through the agent that the client says it is.

    Args:
        principal: Gives the person, who may be known only later.
        agent_name: What the operator calls the agent in the audit log, None where the client says it.
    """

    principal: Callable[[], Principal]
    agent_name: str | None = None

    def of(self, context: Context) -> Principal:
        """Return the principal with its agent, which has no name where the client says none."""
        client = context.session.client_params
        stated = client.client_info.name[:_LONGEST_NAME] if client is not None else ""
        agent = AuditedAgent(stated, "client" if stated else None)
        if self.agent_name is not None:
            agent = AuditedAgent(self.agent_name, "operator")
        person = self.principal()
        mine = person.account
        return replace(person, account=Account(mine.user, stated, mine.credentials), agent=agent)
