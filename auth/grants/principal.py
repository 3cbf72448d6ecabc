"""Who a verified token speaks for: the one source of identity for everything behind the bearer check."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from auth.access.levels import Access
from auth.protocol.scopes import Scopes


@dataclass(frozen=True, slots=True)
class Principal:
    """A person and the agent that acts for them, as a live token of ours proves.

    Attributes:
        person: The person's Calendly user URI.
        organization: The URI of their organization, None for a person without one.
        timezone: IANA name of their zone as Calendly gave it at sign-in.
        client_id: The agent.
        client_name: What the agent calls itself; never verified.
        grant_id: What the person allowed this agent; levels, handles and ledgers hang on it.
        access: What the person chose for the agent, capability by capability.
        scopes: The least of the token, of what the person allows and of what this server offers.
        granted: What Calendly granted to our connection, None while Calendly does not say.
        kind: How the token came about: a person signed in by browser, or an operator made it for a
            job without one.
    """

    person: str
    organization: str | None
    timezone: str | None
    client_id: str
    client_name: str | None
    grant_id: str
    access: Access = field(repr=False)
    scopes: Scopes
    granted: Scopes | None
    kind: Literal["browser", "agent_token"]

    def limited_to(self, scopes: Scopes) -> Self:
        """Return the same with these scopes."""
        return replace(self, scopes=scopes)
