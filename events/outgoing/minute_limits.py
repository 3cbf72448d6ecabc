"""Limits of so many a minute, counted in this process."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from events.outgoing.subscribing import exhausted

_MINUTE: Final = timedelta(minutes=1)


@dataclass(slots=True)
class MinuteLimits:
    """How many of something there may be in a minute.

    Attributes:
        name: The limit's name for clients.
        told: What a client is told that is over it, with `{most}`.
        now: The present.
    """

    name: str
    told: str
    now: Callable[[], datetime]
    _begun: dict[str, deque[datetime]] = field(default_factory=dict[str, deque[datetime]])

    def take(self, limits: Mapping[str, int]) -> None:
        """Count one, unless one of these is over its limit. Raises EventsRefusal, ResourceExhausted.

        Args:
            limits: How many there may be, by whose they are.
        """
        now = self.now()
        self._forget(now)
        for whose, most in limits.items():
            begun = self._begun.get(whose)
            if begun is not None and len(begun) >= most:
                raise exhausted(self.name, most, self.told.format(most=most), begun[0] + _MINUTE - now)
        for whose in limits:
            self._begun.setdefault(whose, deque()).append(now)

    def _forget(self, now: datetime) -> None:
        for whose, begun in list(self._begun.items()):
            # What lies ahead was counted before the clock was set back.
            while begun and not now - _MINUTE < begun[0] <= now:
                begun.popleft()
            if not begun:
                del self._begun[whose]
