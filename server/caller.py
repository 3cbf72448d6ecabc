"""Who calls, as the tools know it: one person and one agent for the length of one call."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Final, cast

import mcp_types as types

from auth.access import Levels, decide
from auth.personal_token import PersonalToken
from calendly import models
from calendly.client import Calendly
from calendly.endpoint import Endpoint
from calendly.errors import InsufficientScope, unreadable
from calendly.identifiers import InvalidIdentifier, OrganizationId, UserId
from calendly.ranges import Cap
from calendly.request import JSON, Account, Request
from server.confirm import Approval, Context
from server.seal import Seal, digest
from server.selection import refusal
from tools.errors import AccessDenied
from tools.idempotency import Ledger
from tools.toolset import Bookings, Identity, Question, Tool

LEAST_LIMIT: Final = 50.0
"""Seconds within which every call is answered, since common clients give up after 60."""

_AFTER_WAITING: Final = 20.0
"""Seconds that are kept for Calendly's answer where a call may wait long for its turn."""

_MARGIN: Final = 2.0
"""Seconds kept for what comes after the last answer of Calendly."""

_FOR_SENDING: Final = 10.0
"""Seconds that remain for the call itself after a person answered."""

ME: Final = Request(Endpoint("GET", "/users/me"))


def time_limit(max_wait: float) -> float:
    """Seconds within which a call is answered that may wait for its turn so many seconds."""
    return max(LEAST_LIMIT, max_wait + _AFTER_WAITING)


@dataclass(frozen=True, kw_only=True)
class Callers:
    """What all calls of this process share.

    Attributes:
        calendly: Gives the HTTP core.
        credentials: Whose token is used.
        levels: What the operator allows.
        max_wait: Seconds that a call may wait for its turn.
        available_times_cap: The longest range of available times, as learned so far.
        ledger: The idempotency keys in use.
        seal: Makes and takes confirmations.
        clock: Seconds that only grow.
        sleep: Lets seconds pass.
    """

    calendly: Callable[[], Calendly]
    credentials: PersonalToken
    levels: Levels
    max_wait: float
    available_times_cap: Cap
    ledger: Ledger
    seal: Seal
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    identities: dict[str, Identity] = field(default_factory=dict[str, Identity])

    def of(self, context: Context, params: types.CallToolRequestParams, confirmation: str | None) -> "ToolCaller":
        """The caller of one request.

        Args:
            context: The request, as the SDK hands it over.
            params: Its parameters.
            confirmation: The argument of that name, None without one.
        """
        person, agent = self.credentials.person, _agent(context)
        started = self.clock()
        deadline = started + time_limit(self.max_wait) - _MARGIN
        arguments = {name: value for name, value in (params.arguments or {}).items() if name != "confirmation"}
        return ToolCaller(
            shared=self,
            account=Account(person, agent, self.credentials),
            approval=Approval(
                seal=self.seal,
                context=context,
                params=params,
                confirmation=confirmation,
                bound_to=digest(params.name, arguments, person, agent),
                patience=lambda: max(0.0, deadline - _FOR_SENDING - self.clock()),
            ),
            bookings=self.ledger.of(person, agent),
            context=context,
            started=started,
            deadline=deadline,
        )


def _agent(context: Context) -> str:
    """What the client says of itself; empty where it says nothing."""
    client = context.session.client_params
    return client.client_info.name[:80] if client is not None else ""


@dataclass(kw_only=True)
class ToolCaller:
    """The caller of one call: see `tools.toolset.Caller`."""

    shared: Callers
    account: Account
    approval: Approval
    bookings: Bookings
    context: Context
    started: float
    deadline: float
    approved: bool = False

    @property
    def available_times_cap(self) -> Cap:
        """The longest range of one available-times request, as learned so far."""
        return self.shared.available_times_cap

    async def identity(self) -> Identity:
        """Who the token belongs to. Raises InsufficientScope when the token may not say."""
        known = self.shared.identities.get(self.account.user)
        if known is None:
            known = self.shared.identities[self.account.user] = _identity(user_in(await self._me()))
        return known

    async def permit(self, tool: Tool, question: Question) -> None:
        """Let `tool` go on. Raises AccessDenied, and what `Approval.obtain` raises."""
        decision = decide(tool.capability, tool.access, self.shared.levels[tool.capability])
        if decision.verdict == "deny":
            raise AccessDenied(refusal(tool, decision.rule))
        if decision.verdict == "ask" and not self.approved:
            await self.approval.obtain(question)
            self.approved = True

    async def send(self, request: Request) -> JSON:
        """Send one request to Calendly within the call's deadline. Raises CalendlyError."""
        return await self.shared.calendly().send(
            request, self.account, deadline=self.deadline, waiting=self._report_waiting
        )

    async def pause(self, seconds: float) -> bool:
        """Wait inside the call's deadline; False at once when that much time is not left."""
        if self.shared.clock() + seconds >= self.deadline:
            return False
        await self.shared.sleep(seconds)
        return True

    async def _me(self) -> JSON:
        try:
            return await self.send(ME)
        except InsufficientScope as refused:
            raise InsufficientScope(
                "The token may not read whose it is, so pass `user` and `organization` as resource URIs.",
                status=refused.status,
                title=refused.title,
                message=refused.message,
                details=refused.details,
                required_scopes=refused.required_scopes,
            ) from None

    async def _report_waiting(self, seconds: float) -> None:
        elapsed = self.shared.clock() - self.started
        await self.context.session.report_progress(
            elapsed, elapsed + seconds, f"Waiting {ceil(seconds)} s for a turn under Calendly's rate limit"
        )


def user_in(answer: JSON) -> models.User:
    """The user in an answer to `ME`. Raises UpstreamError when there is none."""
    resource = answer.get("resource")
    if not isinstance(resource, dict):
        raise unreadable(ME)
    return models.read(models.User, cast("JSON", resource))


def _identity(user: models.User) -> Identity:
    try:
        return Identity(
            user=UserId.parse(user.get("uri") or ""),
            organization=OrganizationId.parse(user.get("current_organization") or ""),
            timezone=user.get("timezone"),
        )
    except InvalidIdentifier:
        raise unreadable(ME) from None
