"""For whom and through whom calls are made: the person, the agent, and what is known of their token."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from calendly.request import Account
from calendly.scopes import includes
from server.confirm import Context
from server.next_steps import PERSONAL_TOKEN, Advice
from tools.toolset import Identity, Tool

Note = Callable[[Iterable[str]], Awaitable[str | None]]

_LONGEST_NAME = 80


async def _nothing_to_add(_scopes: Iterable[str]) -> None:
    """Know nothing of scopes that were lost."""


@dataclass(frozen=True, kw_only=True)
class Party:
    """A person and the agent that acts for them.

    Attributes:
        account: On whose behalf Calendly is asked. Confirmations and idempotency keys are bound to its user and agent.
        identity: Who the person is, None where Calendly has to be asked.
        allowed: The scopes that the person allowed the agent, None where nobody else but Calendly decides.
        granted: The scopes that Calendly granted, None while it does not say.
        steps_up: A call that lacks a scope makes the client ask the person for it, so such tools are listed.
        advice: What helps when the token does not.
        note: Says of scopes whether Calendly granted them once and no longer does.
    """

    account: Account
    identity: Identity | None = None
    allowed: frozenset[str] | None = None
    granted: frozenset[str] | None = None
    steps_up: bool = False
    advice: Advice = field(default_factory=lambda: PERSONAL_TOKEN)
    note: Note = _nothing_to_add

    def sees(self, tool: Tool) -> bool:
        """Whether the agent is shown a tool that is on."""
        return self.steps_up or self.lack(tool) is None

    def lack(self, tool: Tool) -> str | None:
        """Why a tool is out of reach, as a sentence; None when nothing that is known stands against it."""
        if self.allowed is not None and not includes(self.allowed, {tool.scope}):
            return f"The scope {tool.scope} was not allowed to this agent."
        if self.granted is not None and not includes(self.granted, {tool.scope}):
            return f"Calendly did not grant the scope {tool.scope} to this server."
        return None


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
