"""Counts the bookings of agents that are limited to a number a day; see `shared_daily_limits` for replicas."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from auth.access.daily_limits import Full, Taken, give_back, take


class DailyLimits(Protocol):
    """Who has booked how often within 24 hours."""

    async def look(self, agent: str, limit: int) -> Taken | Full:
        """Return what `take` would, and count nothing.

        Raises:
            Unreachable: It cannot be looked up now.
        """
        ...

    async def take(self, agent: str, limit: int) -> Taken | Full:
        """Count one more booking of an agent, unless it has had as many as it may.

        Raises:
            Unreachable: It cannot be counted now.
        """
        ...

    async def give_back(self, agent: str, instant: datetime) -> None:
        """Take back what was counted at an instant: nothing was booked."""
        ...


@dataclass(slots=True)
class OwnDailyLimits:
    """The counts of this process, for one person on their own machine.

    Attributes:
        now: The time.
    """

    now: Callable[[], datetime]
    _counted: dict[str, tuple[datetime, ...]] = field(default_factory=dict[str, tuple[datetime, ...]])

    async def look(self, agent: str, limit: int) -> Taken | Full:
        """Return what `take` would."""
        return take(self._counted.get(agent, ()), limit, self.now())

    async def take(self, agent: str, limit: int) -> Taken | Full:
        """Count one more."""
        decision = await self.look(agent, limit)
        if isinstance(decision, Taken):
            self._counted[agent] = decision.counted
        return decision

    async def give_back(self, agent: str, instant: datetime) -> None:
        """Take one back."""
        self._counted[agent] = give_back(self._counted.get(agent, ()), instant)
