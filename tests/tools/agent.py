"""An agent of one person: it calls tools as a server does, through the real client, and remembers what it saw."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import jsonschema

from auth.access.levels import LOCAL, Limits
from calendly.client import Calendly
from calendly.endpoint import Endpoint
from calendly.identifiers import OrganizationId, UserId
from calendly.ranges import Cap
from calendly.request import JSON, Account, Request
from events.incoming.webhooks import Webhooks
from server.calls.events.feed import AccountReads, AgentFeed
from server.calls.events.webhook_switch import AgentsWebhooks, CalendlyOfCall
from server.calls.principal import Principal
from server.configuration.loading import load
from server.local.late_store import LateStore
from tests.sandbox.api import MONDAY, Json
from tools import ALL
from tools.confirming import EFFECTS
from tools.references import resolved
from tools.toolset.declaring import Call, Caller
from tools.toolset.effects import Affected, Effects
from tools.toolset.errors import DeniedByPolicy
from tools.toolset.feed import Feed, WebhookSwitch
from tools.toolset.identity import Identity
from tools.toolset.ledger import Ledger
from tools.toolset.question import Question
from tools.toolset.tool import Tool

TOOLS = {tool.name: tool for tool in ALL}
SECONDS = 50.0
"""The time limit of a call."""


async def run(name: str, caller: Caller, origins: tuple[str, ...] = (), /, **arguments: object) -> Json:
    """Call a tool by name with an agent's arguments; the answer has been held against the output schema.

    Raises:
        ToolError, CalendlyError: As the tool.
    """
    tool = TOOLS[name]
    call, values = await prepared(tool, caller, tool.parse(arguments, origins).values())
    answer: Json = await tool.run(call, values)
    jsonschema.validate(answer, tool.output_schema, jsonschema.Draft202012Validator)
    return answer


async def prepared(
    tool: Tool, caller: Caller, values: Mapping[str, Any], *, dry_run: bool = False
) -> tuple[Call, Mapping[str, Any]]:
    """One call of a tool, and its arguments with every name looked up."""

    async def question() -> Question:
        return await EFFECTS[tool].question(call, **values)

    async def affected(aspects: Collection[str]) -> Affected:
        return await EFFECTS[tool].affected(call, aspects, **values)

    call = Call(tool, caller, Effects(question, question, affected), is_dry_run=dry_run)
    values = await resolved(call, values)
    return call, values


@dataclass(kw_only=True)
class Agent:
    """A caller of its own: see `tools.toolset.declaring.Caller`.

    Attributes:
        calendly: The real client.
        account: Whose token it uses.
        origin: Where the client sends requests.
        keys: Opens its idempotency keys.
        store: Opens what else it keeps.
        off: Capabilities that are switched off.
        asked: Capabilities whose writing calls need a person, who agrees.
        sent: What it sent.
        questions: What the person was asked.
        pauses: The waits that its tools asked for.
        reports: What long calls told of their progress.
        told: What was noted about webhooks.
        address: Where its server answers; nobody listens there.
        began: When it was that Monday, on the clock.
    """

    calendly: Calendly
    account: Account
    origin: str
    clock: Callable[[], float]
    keys: Callable[[], Awaitable[Ledger]]
    store: LateStore
    available_times_cap: Cap = field(default_factory=lambda: Cap(31))
    off: set[str] = field(default_factory=set[str])
    asked: set[str] = field(default_factory=set[str])
    sent: list[Request] = field(default_factory=list[Request])
    questions: list[str] = field(default_factory=list[str])
    pauses: list[float] = field(default_factory=list[float])
    reports: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])
    address: str = "http://127.0.0.1:1"
    deadline: float = 0.0
    began: float = 0.0

    async def call(self, name: str, /, **arguments: object) -> Json:
        """Call a tool by name."""
        self.deadline = self.clock() + SECONDS
        return await run(name, self, (self.origin,), **arguments)

    async def ask(self, name: str, /, **arguments: object) -> str:
        """The question that a tool would put to the person before it is sent."""
        tool = TOOLS[name]
        self.deadline = self.clock() + SECONDS
        call, _ = await prepared(tool, self, tool.parse(arguments, (self.origin,)).values())
        return str(await call.effects.question())

    async def about(self, name: str, aspects: Collection[str], /, **arguments: object) -> Affected:
        """What a call of a tool is about."""
        tool = TOOLS[name]
        self.deadline = self.clock() + SECONDS
        call, _ = await prepared(tool, self, tool.parse(arguments, (self.origin,)).values())
        return await call.effects.affected(aspects)

    async def ledger(self) -> Ledger:
        """Its idempotency keys."""
        return await self.keys()

    async def feed(self) -> Feed:
        """What has happened in the person's account."""

        async def own_zone() -> str | None:
            return (await self.identity()).timezone

        return AgentFeed(
            events=await self.store.events(),
            person=(await self.identity()).user.uri,
            principal=Principal(account=self.account, limits=Limits(ceiling=LOCAL)),
            reads=AccountReads.of(self.calendly, self.account, self.clock),
            own_zone=own_zone,
        )

    async def webhooks(self) -> WebhookSwitch:
        """Calendly's webhooks of the person, for a server at which nobody listens."""
        events, principal = await self.store.events(), Principal(account=self.account, limits=Limits(ceiling=LOCAL))

        async def told(person: str, action: str, sentence: str) -> None:
            self.told.append(f"{action} {person}: {sentence}")

        webhooks = Webhooks(
            database=events.feeds.database,
            keyring=events.feeds.keyring,
            feeds=events.feeds,
            calendly=CalendlyOfCall(self.send, await self.identity()),
            address=self.address,
            calendly_url=self.origin,
            told=told,
            now=events.feeds.now,
            random=events.feeds.random,
        )
        return AgentsWebhooks(webhooks, (await self.identity()).user.uri, principal)

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep nothing of these people."""
        await (await self.ledger()).forget(addresses)
        await (await self.store.events()).forget(None, addresses)

    async def identity(self) -> Identity:
        """Who the token belongs to, asked anew each time."""
        me = (await self.send(Request(Endpoint("GET", "/users/me"))))["resource"]
        return Identity(
            user=UserId.parse(me["uri"]),
            organization=OrganizationId.parse(me["current_organization"]),
            timezone=me["timezone"],
        )

    async def precheck(self, tool: Tool, effects: Effects) -> None:  # noqa: ARG002 - it has no conditions
        """Refuse what is off."""
        for capability in tool.capabilities:
            if capability in self.off:
                raise DeniedByPolicy(f"{capability} is off.")

    async def authorize(self, tool: Tool, effects: Effects) -> None:
        """Refuse what is off; ask where a person has to be asked."""
        await self.precheck(tool, effects)
        if self.asked.intersection(endpoint.capability for endpoint in tool.writes):
            self.questions.append(str(await effects.question()))

    def allows(self, tool: Tool) -> bool:
        """Say whether none of what it needs is off."""
        return not self.off.intersection(tool.capabilities)

    async def send(self, request: Request) -> JSON:
        """Send, within the time limit."""
        self.sent.append(request)
        return await self.calendly.send(request, self.account, deadline=self.deadline)

    def now(self) -> datetime:
        """What time it is: every test begins at the same time."""
        return MONDAY + timedelta(seconds=self.clock() - self.began)

    def time_left(self) -> float:
        """Until the time limit."""
        return self.deadline - self.clock()

    async def report(self, message: str) -> None:
        """Note it."""
        self.reports.append(message)

    async def pause(self, seconds: float) -> bool:
        """Wait, if there is time."""
        if self.clock() + seconds >= self.deadline:
            return False
        self.pauses.append(seconds)
        await asyncio.sleep(seconds)
        return True


def store_in(stack: AsyncExitStack, now: Callable[[], datetime]) -> LateStore:
    """Return a database in memory of one agent, that `stack` closes."""
    return LateStore(load("stdio", {}, environ={"CALENDLY_MCP_DATABASE_URL": "sqlite://"}), stack, now)


def ledger_in(store: LateStore) -> Callable[[], Awaitable[Ledger]]:
    """Return what opens the idempotency keys of one agent."""

    async def ledger() -> Ledger:
        return (await store.stores()).idempotency_keys.of("person", "agent")

    return ledger
