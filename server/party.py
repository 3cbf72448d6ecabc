"""For whom and through whom calls are made: the person, the agent, and what is known of their token."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from auth.access import Decision, Limits, Operation, Source, decide
from calendly.request import Account
from server.confirm import Context
from server.next_steps import PERSONAL_TOKEN, Advice
from tools.toolset import Identity, Tool
from tools.withholding import INVITEE_DATA

Note = Callable[[Iterable[str]], Awaitable[str | None]]

_LONGEST_NAME = 80

ACCESS_SETTING: Final = "--access (CALENDLY_MCP_ACCESS)"


async def _nothing_to_add(_scopes: Iterable[str]) -> None:
    """Know nothing of scopes that were lost."""


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
        note: Says of scopes whether Calendly granted them once and no longer does.
    """

    account: Account
    identity: Identity | None = None
    limits: Limits
    changes_at: str = ""
    steps_up: bool = False
    advice: Advice = field(default_factory=lambda: PERSONAL_TOKEN)
    note: Note = _nothing_to_add

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
        return decide(operation_of(tool), self.limits)


def operation_of(tool: Tool) -> Operation:
    """Return what access decides about when a tool is called."""
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
    """Whoever reaches this process acts for the same person: `party`, through the agent that the client says it is."""

    party: Party

    def of(self, context: Context) -> Party:
        """Return the party with its agent, which has no name where the client says none."""
        client = context.session.client_params
        agent = client.client_info.name[:_LONGEST_NAME] if client is not None else ""
        return replace(self.party, account=replace(self.party.account, agent=agent))
