"""Who a verified token speaks for: everything behind the bearer check knows its caller from this alone."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

from auth.access.levels import Access
from auth.protocol.scopes import Scopes
from auth.upstream.connection_rows import StoredConnection


@dataclass(frozen=True, slots=True)
class Bearer:
    """A person and the agent that acts for them, as a live token of ours proves.

    Attributes:
        person: The person's Calendly user URI.
        organization: The URI of their organization, None for a person without one.
        timezone: IANA name of their zone as Calendly gave it at sign-in.
        client_id: The agent.
        client_name: What the agent calls itself; never verified.
        grant_id: The grant: levels, confirmations and idempotency keys belong to it.
        access: What the person chose for the agent, capability by capability.
        scopes: The least of the token, of what the person allows and of what this server offers.
        connection: The person's connection to Calendly, read with the token; None where there is none.
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
    connection: StoredConnection | None
    kind: Literal["browser", "agent_token"]

    @property
    def granted(self) -> Scopes | None:
        """What Calendly granted to our connection, None while Calendly does not say."""
        return self.connection.connection.scopes if self.connection else None

    def limited_to(self, scopes: Scopes) -> Self:
        """Return the same with these scopes."""
        return replace(self, scopes=scopes)
