"""A request to Calendly and the account it is sent for, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Protocol, TypeAlias

from calendly.endpoint import Endpoint

JSON: TypeAlias = dict[str, Any]
"""An object as Calendly sent it. Its values can be anything until a model has read them."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to an endpoint.

    Attributes:
        endpoint: The endpoint.
        ids: Identifiers for the path.
        query: The query; None leaves a name out, booleans become `true` or `false`.
        body: The body, sent as JSON.
    """

    endpoint: Endpoint
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str | int | bool | None] = field(default_factory=dict[str, str | int | bool | None])
    body: Mapping[str, object] | None = field(default=None, repr=False)  # personal data, and a signing key

    @property
    def is_read(self) -> bool:
        """Whether the request changes nothing at Calendly, so that it may be repeated and shared."""
        return self.endpoint.method == "GET"

    @property
    def is_booking(self) -> bool:
        """Whether Calendly's rate limits for bookings apply."""
        return self.endpoint.is_booking

    @property
    def path(self) -> str:
        """The filled path, such as `/users/me`."""
        return self.endpoint.fill(self.ids)

    @property
    def parameters(self) -> dict[str, str]:
        """The query as text."""
        return {name: _written(value) for name, value in self.query.items() if value is not None}


def _written(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class AccountCredentials(Protocol):
    """The access token of one account."""

    async def access_token(self) -> str:
        """Return the current token.

        Raises:
            Unauthenticated: There is none.
        """
        ...

    async def refresh(self) -> bool:
        """Refresh a token that Calendly refused.

        Return whether there is a new one, worth one more try.
        """
        ...


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """The credentials of whoever made a personal access token.

    Attributes:
        token: The token; it never leaves this process but to Calendly.
    """

    token: str = field(repr=False)

    @property
    def person(self) -> str:
        """A key for the person that does not give the token away."""
        return sha256(self.token.encode()).hexdigest()[:16]

    async def access_token(self) -> str:
        """Return the token to send."""
        return self.token

    async def refresh(self) -> bool:
        """Say that there is no other token: a personal one lives until it is revoked."""
        return False


@dataclass(frozen=True, slots=True)
class Account:
    """On whose behalf a request is sent.

    Attributes:
        user: Key of the Calendly user, whose rate limits and cached answers it shares.
        agent: Key of the agent, which gets a fair share of the rate limit.
        credentials: The access token.
        is_patient: Whether its calls wait until no other agent's do.
    """

    user: str
    agent: str
    credentials: AccountCredentials = field(repr=False, compare=False)
    is_patient: bool = field(default=False, repr=False)
