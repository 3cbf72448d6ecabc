"""For whom and through whom calls are made: the person, the agent, and what is known of their token."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from auth.access.levels import Decision, Limits, Operation, Source, decide_all
from calendly.identifiers import CALENDLY_ORIGIN
from calendly.request import Account
from server.calls.confirm import Context
from server.calls.next_steps import PERSONAL_TOKEN, Advice
from tools.toolset.declaring import Identity
from tools.toolset.redaction import INVITEE_DATA
from tools.toolset.tool import EndpointTool, Tool

Note = Callable[[Iterable[str]], Awaitable[str | None]]

_LONGEST_NAME = 80

ACCESS_SETTING: Final = "--access (CALENDLY_MCP_ACCESS)"


async def _nothing_to_add(_scopes: Iterable[str]) -> None:
    """Know nothing of scopes that were lost."""


@dataclass(frozen=True, slots=True)
class Agent:
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
class Party:
    """A person and the agent that acts for them.

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
    agent: Agent = field(default_factory=Agent)
    note: Note = _nothing_to_add

    @property
    def person(self) -> str | None:
        """The person's user URI, None while nothing but their token is known."""
        return self.account.user if self.account.user.startswith(CALENDLY_ORIGIN) else None

    def sees(self, tool: Tool) -> bool:
        """Whether the agent is shown a tool that is on."""
        decision = self.decide(tool)
        return decision.verdict != "deny" or (self.steps_up and is_for_lack_of_scope(decision))

    @property
    def invitees_hidden_by(self) -> Source | None:
        """Whose rule it is that answers tell nothing about invitees; None where they may."""
        for source, allowance in self.limits.of(INVITEE_DATA):
            if allowance.level == "off":
                return source
        return None

    def who_changes(self, source: Source) -> str:
        """Return the sentence that says who can change a rule."""
        if source == "person":
            return f"The person it acts for can change that{self.changes_at}."
        return f"Whoever started this server can change that with {ACCESS_SETTING}."

    def decide(self, tool: Tool) -> Decision:
        """What becomes of a call of a tool, conditions apart."""
        return decide_all(map(operation_of, tool.needs), self.limits)


def operation_of(tool: EndpointTool) -> Operation:
    """Return what access decides about when an endpoint is called."""
    return Operation(tool.capability, tool.access, tool.scope)


def is_for_lack_of_scope(decision: Decision) -> bool:
    """Say whether a call is refused for what a sign-in could still give."""
    return decision.verdict == "deny" and decision.source in {"token", "calendly"}


class Parties(Protocol):
    """Tells who a request is from."""

    def of(self, context: Context) -> Party:
        """Return the party of a request."""
        ...


@dataclass(frozen=True, slots=True)
class OnePerson:
    """Whoever reaches this process acts for the same person: `party`, through the agent that the client says it is.

    Args:
        party: The person.
        agent_name: What the operator calls the agent in the audit log, None where the client says it.
    """

    party: Party
    agent_name: str | None = None

    def of(self, context: Context) -> Party:
        """Return the party with its agent, which has no name where the client says none."""
        client = context.session.client_params
        stated = client.client_info.name[:_LONGEST_NAME] if client is not None else ""
        agent = Agent(stated, "client" if stated else None)
        if self.agent_name is not None:
            agent = Agent(self.agent_name, "operator")
        return replace(self.party, account=replace(self.party.account, agent=stated), agent=agent)
