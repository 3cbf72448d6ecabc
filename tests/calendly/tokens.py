"""Credentials for tests: a token, and those that replace it after Calendly refuses it."""

from dataclasses import dataclass, field


@dataclass
class Token:
    """Returns `current`. Each refresh takes the next of `spare`, and fails without one."""

    current: str
    spare: list[str] = field(default_factory=list[str])
    refreshes: int = 0

    async def access_token(self) -> str:
        """Return the current token."""
        return self.current

    async def refresh(self) -> bool:
        """Take the next token."""
        self.refreshes += 1
        if not self.spare:
            return False
        self.current = self.spare.pop(0)
        return True
