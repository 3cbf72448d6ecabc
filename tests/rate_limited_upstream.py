"""Calendly's rate limit as a step of the hostile upstream: fixed windows, told on every answer."""

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.hostile_upstream import Received, Step, Wire, answer

WINDOW = 60.0


@dataclass
class RateLimit:
    """At most `limit` requests in a window of a minute.

    Attributes:
        begins: When the present window begins; the next one follows at once, or at the first request after it.
        used: Requests counted in the present window.
        is_aligned: Whether windows follow each other without pause.
        rounding: How the seconds until the reset are made whole.
        tells_retry_after: Whether a 429 carries Retry-After.
        then: What answers a request that is let through, given the headers to send.
        refused: When requests were refused.
    """

    limit: int = 60
    begins: float = 0.0
    used: int = 0
    is_aligned: bool = True
    rounding: Callable[[float], int] = math.ceil
    tells_retry_after: bool = True
    latency: float = 0.0
    refused: list[float] = field(default_factory=list[float])

    def count(self, now: float) -> tuple[int, dict[str, str]]:
        """Count a request; return the status and the headers it is answered with."""
        if now >= self.begins + WINDOW:
            self.begins = self.begins + (now - self.begins) // WINDOW * WINDOW if self.is_aligned else now
            self.used = 0
        status = 429 if self.used >= self.limit else 200
        if status == 429:
            self.refused.append(now)
        else:
            self.used += 1
        left = self.begins + WINDOW - now
        headers = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.limit - self.used),
            "X-RateLimit-Reset": str(self.rounding(left)),
        }
        if status == 429 and self.tells_retry_after:
            headers["Retry-After"] = str(math.ceil(left))
        return status, headers

    @property
    def step(self) -> Step:
        """Serve a request under the limit."""

        async def step(request: Received, wire: Wire) -> None:
            status, headers = self.count(asyncio.get_running_loop().time())
            if self.latency:
                await asyncio.sleep(self.latency)
            await answer(status, {"resource": {}}, **headers)(request, wire)

        return step
