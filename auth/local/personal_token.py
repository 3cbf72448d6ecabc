"""A personal access token: the simplest way to act as a Calendly user."""

from dataclasses import dataclass, field
from hashlib import sha256


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """The credentials of whoever made the token.

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

    async def renew(self) -> bool:
        """Say that there is no other token: a personal one lives until it is revoked."""
        return False
