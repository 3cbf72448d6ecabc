"""The real client and a hostile upstream, over a real socket and in virtual time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from calendly.client import Calendly, open_http
from calendly.endpoint import Endpoint
from calendly.pacing.account_queue import Waiting
from calendly.pacing.booking_limits import parse_ceilings
from calendly.pacing.pacer import Pacer
from calendly.request import JSON, Account, AccountCredentials, Request
from tests.calendly.tokens import Token
from tests.hostile_upstream import HostileUpstream

READ = Request(Endpoint("GET", "/scheduled_events"))
WRITE = Request(Endpoint("POST", "/scheduling_links"), body={"max_event_count": 1})
BOOKING = Request(Endpoint("POST", "/invitees", is_booking=True), body={"event_type": "E"})
DELETE = Request(Endpoint("DELETE", "/webhook_subscriptions/{webhook_subscription}"), {"webhook_subscription": "W"})


@dataclass
class Desk:
    """A client for a test, and the `upstream` that receives what `send` sends."""

    calendly: Calendly
    upstream: HostileUpstream
    pacer: Pacer
    credentials: AccountCredentials = field(default_factory=lambda: Token("secret-token"))

    @property
    def now(self) -> float:
        """The virtual time."""
        return asyncio.get_running_loop().time()

    async def send(
        self,
        request: Request = READ,
        *,
        user: str = "user",
        agent: str = "agent",
        seconds: float = 50.0,
        waiting: Waiting | None = None,
    ) -> JSON:
        """Send a request with a time limit of `seconds`."""
        account = Account(user, agent, self.credentials)
        return await self.calendly.send(request, account, deadline=self.now + seconds, waiting=waiting)

    async def works(self) -> bool:
        """Return whether a read and a write succeed now."""
        good: JSON = {"resource": {}}
        return await self.send(READ) == good and await self.send(WRITE) == good


@asynccontextmanager
async def open_desk(
    *,
    per_minute: int = 60,
    booking_limits: str = "10/min,50/h,100/day",
    max_wait: float = 30.0,
    origin: str | None = None,
) -> AsyncGenerator[Desk]:
    """Open a client and its upstream. With `origin` the client goes there instead."""
    clock = asyncio.get_running_loop().time

    def random() -> float:
        return 0.5

    pacer = Pacer(
        per_minute=per_minute, ceilings=parse_ceilings(booking_limits), max_wait=max_wait, clock=clock, random=random
    )
    async with HostileUpstream.listen() as upstream, open_http("0") as http:
        calendly = Calendly(
            http, origin=origin or upstream.origin, pacer=pacer, clock=clock, sleep=asyncio.sleep, random=random
        )
        yield Desk(calendly, upstream, pacer)
