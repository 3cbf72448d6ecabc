"""What is asked of Calendly and on whose behalf: values that know nothing of how they are sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from calendly.endpoint import Endpoint

# An object as Calendly sent it. Its values are anything until a model has read them.
JSON: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """One call of an endpoint.

    In `query`, None leaves the name out and a boolean is written `true` or `false`. A `body` is sent as JSON.
    """

    endpoint: Endpoint
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str | int | bool | None] = field(default_factory=dict[str, str | int | bool | None])
    body: Mapping[str, object] | None = field(default=None, repr=False)  # personal data, and a signing key

    @property
    def is_read(self) -> bool:
        """Whether Calendly changes nothing on this request, so that it may be repeated and shared."""
        return self.endpoint.method == "GET"

    @property
    def is_booking(self) -> bool:
        """Whether Calendly counts this request against the ceilings it sets on `POST /invitees` alone."""
        return self.endpoint.method == "POST" and self.endpoint.path == "/invitees"

    @property
    def path(self) -> str:
        """The filled path, such as `/users/me`."""
        return self.endpoint.fill(self.ids)

    @property
    def parameters(self) -> dict[str, str]:
        """The query as it is written into the URL."""
        return {name: _written(value) for name, value in self.query.items() if value is not None}


def _written(value: str | int) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


class Credentials(Protocol):
    """The token of one Calendly user."""

    async def access_token(self) -> str:
        """Return the token to send now.

        Raises:
            Unauthenticated: There is none.
        """
        ...

    async def renew(self) -> bool:
        """Say, after Calendly refused the token, whether there is another one now that is worth one more try."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """On whose behalf a request is sent: limits and answers belong to the `user`, an `agent` has a share of them."""

    user: str
    agent: str
    credentials: Credentials = field(repr=False, compare=False)
