"""What an agent is told while its person is away: its subscriptions to events on its page, each of which can be ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from auth.pages.local_times import said


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSubscription:
    """A subscription of an agent to events.

    Attributes:
        id: Its id.
        words: What is told, for a person.
        narrowing: To what it is narrowed, empty where it is not.
        host: Where it is posted.
        since: When it began.
        last_at: When something arrived there last, None where nothing did.
        is_suspended: Nothing got through for so long that no more is posted.
    """

    id: str
    words: str
    narrowing: str
    host: str
    since: datetime
    last_at: datetime | None
    is_suspended: bool


class AgentSubscriptions(Protocol):
    """The subscriptions of agents, which are kept elsewhere."""

    async def of(self, grant: str) -> Sequence[AgentSubscription]:
        """Return those of an agent, the oldest first. Raises StorageUnavailable."""
        ...

    async def end(self, subscription: str, grant: str) -> bool:
        """End one of an agent. Returns whether it had it. Raises StorageUnavailable."""
        ...
