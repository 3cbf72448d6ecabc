"""Calendly's side of webhooks: a sandbox, asked by the real client with the token of its owner."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from calendly.client import Calendly, open_http
from calendly.pacing.pacer import Pacer
from calendly.request import JSON, Account, PersonalToken, Request
from events.feed.feed import Feeds
from events.incoming.receiver import Receiver
from events.incoming.webhooks import PATH, Webhooks
from sandbox.serving import RunningSandbox
from storage.database import Database
from tests.events.feeds import KEYRING, Clock
from tests.events.histories import seeded
from tests.sandbox.api import MONDAY, Api

ADDRESS: Final = "http://127.0.0.1:1"
"""Of this server; nobody listens there."""

OWNER: Final = "sandbox-pat-owner"


@dataclass
class OwnersCalendly:
    """See `events.incoming.webhooks.CalendlyOfPeople`. Everybody is the owner of the sandbox's organization."""

    calendly: Calendly
    organization_uri: str
    token: str = OWNER
    sent: list[str] = field(default_factory=list[str])
    signed_in: datetime | None = None

    async def send(self, person: str, request: Request, *, token: str | None = None) -> JSON:
        """Send a request with the owner's token, or another one."""
        self.sent.append(f"{request.endpoint.method} {request.path}")
        account = Account(person, "webhooks", PersonalToken(token or self.token))
        return await self.calendly.send(request, account, deadline=asyncio.get_running_loop().time() + 30)

    async def organization(self, person: str) -> str:  # noqa: ARG002 - the Protocol has it
        """Return the URI of the organization."""
        return self.organization_uri

    async def signed_in_at(self, person: str) -> datetime | None:  # noqa: ARG002 - the same
        """Return when the owner signed in."""
        return self.signed_in


@dataclass
class Scene:
    """A server of ours and a Calendly, with a clock for both."""

    sandbox: RunningSandbox
    api: Api
    person: str
    calendly: OwnersCalendly
    webhooks: Webhooks
    receiver: Receiver
    clock: Clock
    noted: list[str]

    async def subscriptions(self, scope: str = "user") -> list[Any]:
        """List Calendly's subscriptions of the owner for this server."""
        me = await self.api.me()
        of_user = {"user": self.person} if scope == "user" else {}
        listed: list[Any] = await self.api.read(
            "/webhook_subscriptions", organization=me["current_organization"], scope=scope, **of_user
        )
        return [hook for hook in listed if hook["callback_url"].startswith(f"{ADDRESS}{PATH}/")]

    async def secret(self) -> str:
        """Return the secret in the address of the only subscription."""
        (hook,) = await self.subscriptions()
        return str(hook["callback_url"]).rpartition("/")[2]

    async def set_state(self, state: str) -> None:
        """Disable the only subscription, or make it active again."""
        (hook,) = await self.subscriptions()
        await self.api.control("webhook_states", {"webhook": hook["uri"], "state": state})

    async def states(self) -> dict[str, str]:
        """Return the state of each family's webhook, as people see it."""
        return {each.family: each.state.value for each in await self.webhooks.of(self.person)}

    def later(self, **by: float) -> None:
        """Let time pass on this server."""
        self.clock.now += timedelta(**by)

    def another(self, **changes: Any) -> Webhooks:  # noqa: ANN401 - fields of Webhooks
        """Return the webhooks of another replica."""
        return replace(self.webhooks, **changes)


@asynccontextmanager
async def calendly_and_us(database: Database, sandbox: RunningSandbox, api: Api) -> AsyncGenerator[Scene]:
    """Put a server beside a sandbox that was just reset."""
    clock, noted, loop = Clock(MONDAY), list[str](), asyncio.get_running_loop()
    me = await api.me()
    pacer = Pacer(per_minute=10_000, ceilings=(), max_wait=30, clock=loop.time, random=lambda: 0.0)

    async def told(person: str, action: str, sentence: str) -> None:
        assert person == me["uri"]
        noted.append(f"{action}: {sentence.format(person='you')}")

    async with open_http("test") as http:
        calendly = Calendly(
            http, origin=sandbox.url, pacer=pacer, clock=loop.time, sleep=asyncio.sleep, random=lambda: 0.0
        )
        owners = OwnersCalendly(calendly, me["current_organization"])
        feeds = Feeds(database=database, keyring=KEYRING, now=clock, random=seeded(1).randbytes)
        webhooks = Webhooks(
            database=database,
            keyring=KEYRING,
            feeds=feeds,
            calendly=owners,
            address=ADDRESS,
            calendly_url=sandbox.url,
            told=told,
            now=clock,
            random=seeded(2).randbytes,
        )
        receiver = Receiver(database=database, keyring=KEYRING, feeds=feeds, now=clock)
        yield Scene(sandbox, api, me["uri"], owners, webhooks, receiver, clock, noted)
