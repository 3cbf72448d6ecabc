"""Who calls, as the tools know it: one person and one agent for the length of one call."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Final, cast

import mcp_types as types
from starlette.requests import Request as HttpRequest

from auth.access.daily_limits import Full, full
from auth.access.levels import Decision, conditions, daily_limit, is_browser_only, object_to
from auth.audit.log import AuditLog
from calendly import models
from calendly.client import Calendly
from calendly.errors import CalendlyRefusal, InsufficientScope, Unreachable, unreadable
from calendly.identifiers import EventTypeId, InvalidIdentifier, OrganizationId, UserId
from calendly.ranges import Cap
from calendly.request import JSON, Request
from server.calls.audit_entries import CallRecord, Permit
from server.calls.confirm import Approval, ConfirmPage, Context
from server.calls.principal import Parties, Party, is_for_lack_of_scope
from server.calls.selection import objection_of, refusal_of
from server.stores.proof import digest
from tools.endpoints.users import get_current_user
from tools.toolset.declaring import Identity
from tools.toolset.effects import Stakes
from tools.toolset.errors import DeniedByPolicy, NotRecorded
from tools.toolset.ledger import Ledger
from tools.toolset.tool import Tool, endpoint_of

if TYPE_CHECKING:
    from server.stores.confirmations import Confirmations
    from server.stores.stores import Stores

LEAST_LIMIT: Final = 50.0
"""Seconds within which every call is answered, since common clients give up after 60."""

_AFTER_WAITING: Final = 20.0
"""Seconds that are kept for Calendly's answer where a call may wait long for its turn."""

_MARGIN: Final = 2.0
"""Seconds kept for what comes after the last answer of Calendly."""

_NOT_CONFIRMED: Final = frozenset({"confirmation", "dry_run"})
"""The arguments that are not part of what a person confirms."""

_FOR_SENDING: Final = 10.0
"""Seconds that remain for the call itself after a person answered."""

ME: Final = Request(endpoint_of(get_current_user).endpoint)


def time_limit(max_wait: float) -> float:
    """Seconds within which a call is answered that may wait for its turn so many seconds."""
    return max(LEAST_LIMIT, max_wait + _AFTER_WAITING)


@dataclass(frozen=True, kw_only=True)
class Callers:
    """What all calls of this process share.

    Attributes:
        calendly: Gives the HTTP core.
        parties: Tells who a request is from.
        max_wait: Seconds that a call may wait for its turn.
        available_times_cap: The longest range of available times, as learned so far.
        stores: Gives what calls keep in the database. Raises Unreachable.
        audit_log: Where calls are recorded.
        page_of: Gives the page on which the person approves calls of an agent, None where there is none.
        clock: Seconds that only grow.
        sleep: Lets seconds pass.
    """

    calendly: Callable[[], Calendly]
    parties: Parties
    max_wait: float
    available_times_cap: Cap
    stores: "Callable[[], Awaitable[Stores]]"
    audit_log: AuditLog
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    page_of: Callable[[str], ConfirmPage] | None = None
    identities: dict[str, Identity] = field(default_factory=dict[str, Identity])

    async def confirmations(self) -> "Confirmations":
        """What issues and takes confirmation tokens. Raises Unreachable."""
        return (await self.stores()).confirmations

    def recording(self, tool: Tool, party: Party, request: HttpRequest | None) -> CallRecord:
        """Begin the audit entries of one call.

        Args:
            tool: What is called.
            party: Who calls.
            request: How it came, None over stdio.
        """
        return CallRecord(
            audit_log=self.audit_log,
            request_id=self.audit_log.new_id(),
            time=self.audit_log.now(),
            tool=tool,
            party=party,
            transport="stdio" if request is None else "http",
            clock=self.clock,
            started=self.clock(),
            identity=lambda: self.identities.get(party.account.user),
        )

    def of(
        self,
        record: CallRecord,
        context: Context,
        params: types.CallToolRequestParams,
        *,
        confirmation: str | None,
        is_rehearsal: bool,
    ) -> "ToolCaller":
        """The caller of one request.

        Args:
            record: Its record, which says who it is from.
            context: The request, as the SDK hands it over.
            params: Its parameters.
            confirmation: The argument of that name, None without one.
            is_rehearsal: The call is only tried, so nobody is asked.
        """
        party = record.party
        person, agent = party.account.user, party.account.agent
        deadline = record.started + time_limit(self.max_wait) - _MARGIN
        arguments = {name: value for name, value in (params.arguments or {}).items() if name not in _NOT_CONFIRMED}
        return ToolCaller(
            shared=self,
            record=record,
            approval=Approval(
                confirmations=self.confirmations,
                context=context,
                params=params,
                confirmation=confirmation,
                bound_to=digest(params.name, arguments, person, agent),
                page=self.page_of(agent) if self.page_of else None,
                only_page=any(is_browser_only(endpoint.capability, party.limits) for endpoint in record.tool.writes),
                patience=lambda: max(0.0, deadline - _FOR_SENDING - self.clock()),
            ),
            context=context,
            deadline=deadline,
            is_rehearsal=is_rehearsal,
        )


@dataclass(kw_only=True)
class ToolCaller:
    """The caller of one call: see `tools.toolset.declaring.Caller`."""

    shared: Callers
    record: CallRecord
    approval: Approval
    context: Context
    deadline: float
    is_rehearsal: bool = False
    confirmed: str | None = None
    """How the call was confirmed."""

    @property
    def party(self) -> Party:
        """The person and the agent."""
        return self.record.party

    async def ledger(self) -> Ledger:
        """The idempotency keys of the person and the agent. Raises Unreachable."""
        account = self.party.account
        return (await self.shared.stores()).idempotency_keys.of(account.user, account.agent)

    def bind(self, values: Mapping[str, object]) -> None:
        """Bind an approval to what the names in the arguments stand for now, besides the arguments as they are."""
        named = {name: value.uri for name, value in values.items() if isinstance(value, EventTypeId | UserId)}
        bound_to = digest(self.approval.bound_to.hex(), named)
        self.approval = replace(self.approval, bound_to=bound_to)

    @property
    def available_times_cap(self) -> Cap:
        """The longest range of one available-times request, as learned so far."""
        return self.shared.available_times_cap

    async def identity(self) -> Identity:
        """Who the token belongs to. Raises InsufficientScope when the token may not say."""
        user = self.party.account.user
        known = self.party.identity or self.shared.identities.get(user)
        if known is None:
            known = self.shared.identities[user] = _identity(user_in(await self._me()))
        return known

    async def weigh(self, tool: Tool, stakes: Stakes) -> None:
        """Refuse without asking anybody. Raises DeniedByPolicy, InsufficientScope, RateLimited."""
        await self._weighed(tool, stakes)
        self.shared.calendly().require_room(self.party.account, deadline=self.deadline)

    async def permit(self, tool: Tool, stakes: Stakes) -> None:
        """Let `tool` go on. Raises DeniedByPolicy, InsufficientScope, and what `Approval.obtain` raises."""
        decision = await self._weighed(tool, stakes)
        if decision.verdict == "ask" and not self.is_rehearsal:
            self.confirmed = self.confirmed or await self.approval.obtain(stakes)
        for part in dict.fromkeys((tool, *tool.writes)):  # each write of a workflow has a record of its own
            decision = self.party.decide(part)
            self.record.decided(Permit(part, decision, self.confirmed if decision.verdict == "ask" else None))

    async def _weighed(self, tool: Tool, stakes: Stakes) -> Decision:
        decision = await self.admit(tool)
        objection = await self._objection(tool, stakes)
        if objection is not None:
            self.record.decided(Permit(tool, objection))
            raise DeniedByPolicy(objection_of(objection, self.party))
        return decision

    async def admit(self, tool: Tool) -> Decision:
        """Return what becomes of a call of `tool`, conditions apart. Raises DeniedByPolicy and InsufficientScope."""
        decision = self.party.decide(tool)
        self.record.decided(Permit(tool, decision))
        if is_for_lack_of_scope(decision):
            lack = f"{decision.rule[0].upper()}{decision.rule[1:]}."
            raise await self._explained(InsufficientScope(lack, required_scopes=tool.scopes))
        if decision.verdict == "deny":
            raise DeniedByPolicy(refusal_of(tool, decision, self.party))
        return decision

    async def _objection(self, tool: Tool, stakes: Stakes) -> Decision | None:
        """Say which condition a writing call is outside of, before anybody is asked about it."""
        limits, capabilities = self.party.limits, [endpoint.capability for endpoint in tool.writes]
        asked = {condition.aspect for capability in capabilities for condition in conditions(capability, limits)}
        subject = await stakes.subject(asked) if asked else None
        for capability in capabilities:
            objection = object_to(capability, limits, subject) if subject else None
            if objection is not None:
                return objection
            limit = daily_limit(capability, limits)
            if limit:
                account, stores = self.party.account, await self.shared.stores()
                room = await stores.daily_counts.look(account.user, account.agent, limit[0])
                if isinstance(room, Full):
                    return full(room, *limit)
        return None

    async def send(self, request: Request) -> JSON:
        """Send one request to Calendly within the call's deadline. Raises CalendlyError, ToolError."""
        try:
            async with self._counted(request), self.record.sending(request):
                return await self.shared.calendly().send(
                    request, self.party.account, deadline=self.deadline, waiting=self._report_waiting
                )
        except InsufficientScope as refused:
            raise await self._explained(refused) from None

    @asynccontextmanager
    async def _counted(self, request: Request) -> AsyncGenerator[None]:
        """Count a booking where they are limited to a number a day. Raises DeniedByPolicy when that is reached."""
        limit = daily_limit("booking", self.party.limits) if request.is_booking else None
        if limit is None:
            yield
            return
        account, counts = self.party.account, (await self.shared.stores()).daily_counts
        room = await counts.take(account.user, account.agent, limit[0])
        if isinstance(room, Full):
            objection = full(room, *limit)
            self.record.refused(request, objection)
            raise DeniedByPolicy(objection_of(objection, self.party))
        try:
            yield
        except (CalendlyRefusal, Unreachable, NotRecorded):  # certainly nothing was booked
            await counts.give_back(account.user, account.agent, room.counted[-1])
            raise

    def allows(self, tool: Tool) -> bool:
        """Whether access lets `tool` be called, though perhaps only after asking the person."""
        return self.party.decide(tool).verdict != "deny"

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
        """What time it is, in UTC."""
        return self.shared.audit_log.now()

    async def _me(self) -> JSON:
        try:
            return await self.send(ME)
        except InsufficientScope as refused:
            unknown = "The token may not read whose it is, so pass `user` and `organization` as resource URIs."
            raise _reworded(refused, unknown) from None

    async def _explained(self, refused: InsufficientScope) -> InsufficientScope:
        """Add to a refusal what is known of the scopes that it names."""
        note = await self.party.note(refused.required_scopes)
        return refused if note is None else _reworded(refused, f"{refused.reason} {note}")

    async def _report_waiting(self, seconds: float) -> None:
        elapsed = self.shared.clock() - self.record.started
        await self.context.session.report_progress(
            elapsed, elapsed + seconds, f"Waiting {ceil(seconds)} s for a turn under Calendly's rate limit"
        )


def user_in(answer: JSON) -> models.User:
    """The user in an answer to `ME`. Raises UpstreamError when there is none."""
    resource = answer.get("resource")
    if not isinstance(resource, dict):
        raise unreadable(ME)
    return models.read(models.User, cast("JSON", resource))


def _reworded(refused: InsufficientScope, reason: str) -> InsufficientScope:
    return InsufficientScope(
        reason,
        status=refused.status,
        title=refused.title,
        message=refused.message,
        details=refused.details,
        required_scopes=refused.required_scopes,
    )


def _identity(user: models.User) -> Identity:
    try:
        return Identity(
            user=UserId.parse(user.get("uri") or ""),
            organization=OrganizationId.parse(user.get("current_organization") or ""),
            timezone=user.get("timezone"),
        )
    except InvalidIdentifier:
        raise unreadable(ME) from None
