"""Credentials for tests: a token, and the ones that replace it when Calendly refuses it."""

from dataclasses import dataclass, field


@dataclass
class Token:
    """Hands out `current`; every renewal takes the next of `spare`, and fails when there is none."""

    current: str
    spare: list[str] = field(default_factory=list[str])
    renewals: int = 0

    async def access_token(self) -> str:
        """Return the token of the moment."""
        return self.current

    async def renew(self) -> bool:
        """Move on to the next token."""
        self.renewals += 1
        if not self.spare:
            return False
        self.current = self.spare.pop(0)
        return True
