"""Who calls, as the tools know it: one person and one agent for the length of one call."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import TYPE_CHECKING, Final

import mcp_types as types
from starlette.requests import Request as HttpRequest

from auth.access.daily_limits import Full, full
from auth.access.levels import Decision, conditions, daily_limit, is_browser_only, object_to
from auth.audit.log import AuditLog
from calendly.client import Calendly
from calendly.errors import CalendlyRefusal, InsufficientScope, Unreachable
from calendly.identifiers import EventTypeId, UserId
from calendly.ranges import Cap
from calendly.request import JSON, Request
from server.calls.audit_entries import AuditedDecision, CallRecord
from server.calls.clock import ClockWatch, told_of
from server.calls.confirm import CallConfirmation, ConfirmPage, Context
from server.calls.identities import ME, identity_of, user_in
from server.calls.principal import Principal, Principals, is_for_lack_of_scope
from server.calls.selection import objection_of, refusal_of
from server.calls.walls import Walls
from server.stores.proof import digest
from tools.endpoints.scheduled_events import cancel_scheduled_event
from tools.times import own_timezone
from tools.toolset.effects import Effects
from tools.toolset.errors import DeniedByPolicy, NotRecorded
from tools.toolset.feed import Feed, WebhookSwitch
from tools.toolset.identity import Identity
from tools.toolset.ledger import Ledger
from tools.toolset.tool import Tool, endpoint_of

if TYPE_CHECKING:
    from events.incoming.webhooks import Webhooks
    from server.stores.confirmations import Confirmations
    from server.stores.events import EventStore
    from server.stores.stores import Stores

LEAST_LIMIT: Final = 50.0
"""How long a call may take at least, in seconds: common clients give up after 60."""

_AFTER_WAITING: Final = 20.0
"""Time reserved for Calendly's answer when a call may wait long for its turn, in seconds."""

_MARGIN: Final = 2.0
"""Time reserved for the work after Calendly's last answer, in seconds."""

_NOT_CONFIRMED: Final = frozenset({"confirmation", "dry_run"})
"""The arguments that are not part of what a person confirms."""

_FOR_SENDING: Final = 10.0
"""Time reserved for the call itself after a person answered, in seconds."""

_CANCELING: Final = endpoint_of(cancel_scheduled_event).endpoint


def time_limit(max_wait: float) -> float:
    """Return how long a call may take, in seconds, where it may wait `max_wait` for its turn."""
    return max(LEAST_LIMIT, max_wait + _AFTER_WAITING)


@dataclass(frozen=True, kw_only=True)
class Callers:
    """What all calls of this process share.

    Attributes:
        calendly: Gives the HTTP core.
        principals: Tells who a request is from.
        max_wait: Seconds that a call may wait for its turn.
        available_times_days: The longest range of one request for available times, before anything is learned.
        stores: Gives what calls keep in the database. Raises Unreachable.
        events: Gives what happened in people's accounts. Raises Unreachable.
        audit_log: Where calls are recorded.
        clock_watch: Compares this machine's clock with Calendly's.
        page_of: Gives the page on which the person approves calls of an agent, None where there is none.
        webhooks: Calendly's webhooks of people, None where Calendly cannot post to this server.
        clock: Seconds that only grow.
        sleep: Lets seconds pass.
    """

    calendly: Callable[[], Calendly]
    principals: Principals
    max_wait: float
    available_times_days: int
    stores: "Callable[[], Awaitable[Stores]]"
    events: "Callable[[], Awaitable[EventStore]]"
    audit_log: AuditLog
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    clock_watch: ClockWatch
    page_of: Callable[[str], ConfirmPage] | None = None
    webhooks: "Webhooks | None" = None
    identities: dict[str, Identity] = field(default_factory=dict[str, Identity])
    caps: dict[str, Cap] = field(default_factory=dict[str, Cap])
    walls: Walls = field(default_factory=Walls)

    async def confirmations(self) -> "Confirmations":
        """What issues and takes confirmation tokens. Raises Unreachable."""
        return (await self.stores()).confirmations

    def recording(self, tool: Tool, principal: Principal, request: HttpRequest | None) -> CallRecord:
        """Begin the audit entries of one call.

        Args:
            tool: What is called.
            principal: Who calls.
            request: How it came, None over stdio.
        """
        return CallRecord(
            audit_log=self.audit_log,
            request_id=self.audit_log.new_id(),
            time=self.audit_log.now(),
            tool=tool,
            principal=principal,
            transport="stdio" if request is None else "http",
            clock=self.clock,
            started=self.clock(),
            identity=lambda: self.identities.get(principal.account.user),
        )

    def of(self, record: CallRecord, context: Context, params: types.CallToolRequestParams) -> "ToolCaller":
        """Make the caller of one call.

        Args:
            record: Its audit entries, which say who it is from.
            context: The request, as the SDK hands it over.
            params: Its parameters.
        """
        return ToolCaller(
            shared=self,
            record=record,
            context=context,
            params=params,
            deadline=record.started + time_limit(self.max_wait) - _MARGIN,
        )


@dataclass(kw_only=True)
class ToolCaller:
    """The caller of one call: see `tools.toolset.declaring.Caller`."""

    shared: Callers
    record: CallRecord
    context: Context
    params: types.CallToolRequestParams
    deadline: float
    confirmation: str | None = None
    """The argument of that name."""
    named: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the names in the arguments stand for now."""
    confirmed: str | None = None
    """How the call was confirmed."""
    ahead: timedelta | None = None
    """How far the clock was corrected when the time was last read, None if it was not."""

    @property
    def principal(self) -> Principal:
        """The person and the agent."""
        return self.record.principal

    async def ledger(self) -> Ledger:
        """The idempotency keys of the person and the agent. Raises Unreachable."""
        account = self.principal.account
        return (await self.shared.stores()).idempotency_keys.of(account.user, account.agent)

    async def feed(self) -> Feed:
        """What has happened in the person's account. Raises Unreachable, and as `identity`."""
        from server.calls.events.feed import AccountReads, AgentFeed  # noqa: PLC0415 - it loads the database

        events, identity = await self.shared.events(), await self.identity()
        return AgentFeed(
            events=events,
            person=identity.user.uri,
            principal=self.principal,
            reads=AccountReads.of(self.shared.calendly(), self.principal.account, self.shared.clock),
            own_zone=partial(own_timezone, self),
        )

    async def webhooks(self) -> WebhookSwitch:
        """Calendly's webhooks of the person. Raises DeniedByPolicy where there are none, and as `identity`."""
        from server.calls.events.webhook_switch import AgentsWebhooks  # noqa: PLC0415 - it loads the database

        if self.shared.webhooks is None:
            raise DeniedByPolicy("This server has no address of its own to which Calendly could post.")
        return AgentsWebhooks.of(self.shared.webhooks, await self.identity(), self.principal, self.send)

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep nothing of invitees with these e-mail addresses any more."""
        await (await self.ledger()).forget(addresses)
        await (await self.shared.events()).forget(self.principal.agent.grant, addresses)

    def resolved(self, values: Mapping[str, object]) -> None:
        """Note the arguments with every name in them looked up: a confirmation is for what they stand for now."""
        self.named = {name: value.uri for name, value in values.items() if isinstance(value, EventTypeId | UserId)}
        self.record.understood(values, is_dry_run=self.record.is_dry_run)

    @property
    def available_times_cap(self) -> Cap:
        """The longest range of one available-times request, as learned so far of this account."""
        return self.shared.caps.setdefault(self.principal.account.user, Cap(self.shared.available_times_days))

    @property
    def known_identity(self) -> Identity | None:
        """Who the token belongs to, None where Calendly has to be asked."""
        return self.principal.identity or self.shared.identities.get(self.principal.account.user)

    async def identity(self) -> Identity:
        """Who the token belongs to. Raises InsufficientScope when the token may not say."""
        known = self.known_identity
        if known is None:
            known = self.shared.identities[self.principal.account.user] = identity_of(user_in(await self._me()))
        return known

    async def precheck(self, tool: Tool, effects: Effects) -> None:
        """Refuse without asking anybody. Raises DeniedByPolicy, InsufficientScope, RateLimited."""
        await self._require_conditions(tool, effects)
        self.shared.calendly().require_room(self.principal.account, deadline=self.deadline)

    async def authorize(self, tool: Tool, effects: Effects) -> None:
        """Let `tool` go on.

        Raises:
            DeniedByPolicy, InsufficientScope: A rule forbids it.
            CalendlyRefusal: A person would be asked, and Calendly has just refused the same for any arguments.
            ConfirmationRequired, Declined, InputRequired: As `CallConfirmation.obtain`.
        """
        decision = await self._require_conditions(tool, effects)
        if decision.verdict == "ask" and not self.record.is_dry_run and self.confirmed is None:
            wall = self.shared.walls.before(self.principal, tool.writes, self.shared.clock())
            if wall is not None:
                raise wall
            self.confirmed = await self._confirmation(effects.found).obtain(effects)
        for part in dict.fromkeys((tool, *tool.writes)):  # each write of a workflow has audit entries of its own
            decision = self.principal.decide(part)
            self.record.decided(AuditedDecision(part, decision, self.confirmed if decision.verdict == "ask" else None))

    async def require_access(self, tool: Tool, decided: Decision | None = None) -> Decision:
        """Return the decision about `tool`, or `decided`, conditions apart. DeniedByPolicy, InsufficientScope."""
        decision = decided or self.principal.decide(tool)
        self.record.decided(AuditedDecision(tool, decision))
        if is_for_lack_of_scope(decision):
            lack = f"{decision.rule[0].upper()}{decision.rule[1:]}."
            raise await self._explained(InsufficientScope(lack, required_scopes=tool.scopes))
        if decision.verdict == "deny":
            raise DeniedByPolicy(refusal_of(tool, decision, self.principal))
        return decision

    async def _require_conditions(self, tool: Tool, effects: Effects) -> Decision:
        """Return the decision about `tool` whose conditions are met. Raises as `require_access`."""
        decision = await self.require_access(tool)
        objection = await self._objection(tool, effects)
        if objection is not None:
            self.record.decided(AuditedDecision(tool, objection))
            raise DeniedByPolicy(objection_of(objection, self.principal))
        return decision

    async def _objection(self, tool: Tool, effects: Effects) -> Decision | None:
        """Return the refusal of a writing call that is outside a condition, before anybody is asked about it."""
        limits, capabilities = self.principal.limits, [endpoint.capability for endpoint in tool.writes]
        aspects = {condition.aspect for capability in capabilities for condition in conditions(capability, limits)}
        affected = await effects.affected(aspects) if aspects else None
        for capability in capabilities:
            objection = object_to(capability, limits, affected) if affected else None
            if objection is not None:
                return objection
            limit = daily_limit(capability, limits)
            if limit:
                account, stores = self.principal.account, await self.shared.stores()
                room = await stores.daily_counts.look(account.user, account.agent, limit[0])
                if isinstance(room, Full):
                    return full(room, *limit)
        return None

    def _confirmation(self, found: str) -> CallConfirmation:
        account, limits = self.principal.account, self.principal.limits
        given = self.record.tool.as_meant(self.params.arguments or {})
        arguments = {name: value for name, value in given.items() if name not in _NOT_CONFIRMED}
        return CallConfirmation(
            confirmations=self.shared.confirmations,
            context=self.context,
            params=self.params,
            confirmation=self.confirmation,
            bound_to=digest(self.params.name, arguments, account.user, account.agent, dict(self.named), found),
            page=self.shared.page_of(account.agent) if self.shared.page_of else None,
            only_page=any(is_browser_only(endpoint.capability, limits) for endpoint in self.record.tool.writes),
            patience=lambda: max(0.0, self.time_left() - _FOR_SENDING),
        )

    async def send(self, request: Request) -> JSON:
        """Send one request to Calendly within the call's deadline. Raises CalendlyError, ToolError."""
        try:
            if request.is_read:
                return await self._send(request)
            async with self._counted(request), self.record.sending(request), self._noted(request) as answered:
                answer = await self._send(request)
                await answered(answer)
                return answer
        except CalendlyRefusal as refused:
            self.shared.walls.learn(self.principal, request, refused, self.shared.clock())
            if isinstance(refused, InsufficientScope):
                raise await self._explained(refused) from None
            raise

    async def _send(self, request: Request) -> JSON:
        account = self.principal.account
        answer = await self.shared.calendly().send(
            request, account, deadline=self.deadline, waiting=self._report_waiting
        )
        self.shared.walls.notice(self.principal, self.known_identity, request, answer, self.shared.clock())
        return answer

    @asynccontextmanager
    async def _noted(self, request: Request) -> AsyncGenerator[Callable[[JSON], Awaitable[None]]]:
        """Note what the agent does itself, where its person has events. Yields what is told of the answer."""
        if not request.is_booking and request.endpoint != _CANCELING:
            yield _not_noted
            return
        from server.calls.events.own_changes import noted  # noqa: PLC0415 - it loads the database

        async with noted(await self.shared.events(), self, request) as answered:
            yield answered

    @asynccontextmanager
    async def _counted(self, request: Request) -> AsyncGenerator[None]:
        """Count a booking where they are limited to a number a day. Raises DeniedByPolicy when that is reached."""
        limit = daily_limit("booking", self.principal.limits) if request.is_booking else None
        if limit is None:
            yield
            return
        account, counts = self.principal.account, (await self.shared.stores()).daily_counts
        room = await counts.take(account.user, account.agent, limit[0])
        if isinstance(room, Full):
            objection = full(room, *limit)
            self.record.refused(request, objection)
            raise DeniedByPolicy(objection_of(objection, self.principal))
        try:
            yield
        except (CalendlyRefusal, Unreachable, NotRecorded):  # certainly nothing was booked
            await counts.give_back(account.user, account.agent, room.counted[-1])
            raise

    def allows(self, tool: Tool) -> bool:
        """Whether access lets `tool` be called, though perhaps only after asking the person."""
        return self.principal.decide(tool).verdict != "deny"

    def time_left(self) -> float:
        """The seconds until the call has to be answered."""
        return self.deadline - self.shared.clock()

    async def report(self, message: str) -> None:
        """Tell whoever waits how far a long call has come."""
        await self.context.session.report_progress(self.shared.clock() - self.record.started, None, message)

    async def pause(self, seconds: float) -> bool:
        """Wait inside the call's deadline; False at once when that much time is not left."""
        if self.shared.clock() + seconds >= self.deadline:
            return False
        await self.shared.sleep(seconds)
        return True

    def now(self) -> datetime:
        """What time it is, in UTC, by Calendly's clock where this machine's is known to be off."""
        self.ahead = self.shared.clock_watch.ahead
        return self.shared.audit_log.now() - self.ahead

    def clock_note(self) -> str | None:
        """Say that this machine's clock is off, None where it is not or where the answer does not depend on it."""
        return told_of(self.shared.clock_watch.ahead, taken_back=self.ahead)

    async def _me(self) -> JSON:
        try:
            return await self.send(ME)
        except InsufficientScope as refused:
            taken = [f"`{name}`" for name in ("user", "organization") if name in self.record.tool.model.model_fields]
            instead = f", so pass {' and '.join(taken)} as resource URIs" if taken else ""
            raise refused.retold(f"The token may not read whose it is{instead}.") from None

    async def _explained(self, refused: InsufficientScope) -> InsufficientScope:
        """Add to a refusal what is known of the scopes that it names."""
        note = await self.principal.note(refused.required_scopes)
        return refused if note is None else refused.retold(f"{refused.reason} {note}")

    async def _report_waiting(self, seconds: float) -> None:
        elapsed = self.shared.clock() - self.record.started
        await self.context.session.report_progress(
            elapsed, elapsed + seconds, f"Waiting {ceil(seconds)} s for a turn under Calendly's rate limit"
        )


async def _not_noted(_answer: JSON) -> None:
    """Note nothing."""
