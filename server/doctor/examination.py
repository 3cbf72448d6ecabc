"""The requests of `calendly-mcp doctor` to Calendly: one read for each scope, and no write."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import httpx2

from calendly import models
from calendly.client import Calendly, open_http
from calendly.endpoint import Endpoint
from calendly.errors import CalendlyError
from calendly.pacing.rate_headers import RateHeaders
from calendly.request import Account, Request
from server.app import calendly_for
from server.calls.identities import ME, identity_of, user_in
from server.calls.principal import Principal
from server.configuration.settings import Settings
from server.configuration.surroundings import proxy_told
from server.configuration.terminal import DISTRIBUTION
from server.doctor import diagnosis
from server.doctor.diagnosis import Finding

_PATIENCE: Final = 20.0

READS: Final[Mapping[str, str]] = {
    "users:read": "/users/me",
    "event_types:read": "/event_types",
    "availability:read": "/user_availability_schedules",
    "scheduled_events:read": "/scheduled_events",
    "organizations:read": "/organization_memberships",
    "webhooks:read": "/webhook_subscriptions",
}
"""For each scope, the path of a read that needs no other scope."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose resources are read.

    Attributes:
        user: The URI of the person.
        organization: The URI of their organization, None where Calendly names none.
    """

    user: str
    organization: str | None


@dataclass
class Examination:
    """The checks of Calendly from this machine.

    Attributes:
        settings: The settings, which have Calendly's address.
        stack: Closes the connections.
    """

    settings: Settings
    stack: AsyncExitStack = field(repr=False)
    _heard: list[httpx2.Response] = field(default_factory=list[httpx2.Response], repr=False)

    async def reach(self) -> list[Finding]:
        """Check whether Calendly answers, and compare its time. The first finding is about the network."""
        http = self._open(version(DISTRIBUTION))
        self.stack.push_async_callback(http.aclose)
        try:
            answer = await http.get(f"{self.settings.api_url}{ME.path}")
        except httpx2.RequestError as failure:
            why = str(failure) or type(failure).__name__
            return [diagnosis.connection(self.settings.api_url, None, why, proxy_told(self.settings.api_url))]
        now = datetime.now(UTC)
        proxy = proxy_told(self.settings.api_url)
        found = diagnosis.connection(self.settings.api_url, answer.status_code, proxy=proxy)
        return [found] if found.state == "fix" else [found, diagnosis.clock(answer.headers.get("date"), now)]

    async def account(self, principal: Principal) -> list[Finding]:
        """Check the token or the sign-in, its scopes and its rate limit."""
        calendly = calendly_for(self.settings, self.stack, self._open)()
        account = replace(principal.account, agent="doctor")
        person, refused = await self._person(calendly, account)
        kind = diagnosis.TOKEN if principal.limits.granted is None else diagnosis.SIGN_IN
        name = f"{person.get('name')} <{person.get('email')}>" if person else None
        findings = [diagnosis.token(kind, name, refused)]
        if findings[0].state == "fix":
            return findings
        seen: dict[str, CalendlyError | None] = {"users:read": refused}
        whose = _whose(principal, person)
        if whose:
            for scope in [scope for scope in READS if scope not in seen and _can_be_read(scope, whose)]:
                seen[scope] = await _read(calendly, account, scope, whose)
        findings += diagnosis.scopes(seen, [scope for scope in READS if scope not in seen])
        return [*findings, diagnosis.writes(principal.limits.granted), *diagnosis.limits(self._report)]

    async def _person(self, calendly: Calendly, account: Account) -> tuple[models.User | None, CalendlyError | None]:
        try:
            return user_in(await calendly.send(ME, account, deadline=_deadline())), None
        except CalendlyError as refused:
            return None, refused

    def _open(self, version: str) -> httpx2.AsyncClient:
        """Open an HTTP client that keeps its answers."""
        http = open_http(version)

        async def hear(response: httpx2.Response) -> None:
            self._heard.append(response)

        http.event_hooks["response"].append(hear)
        return http

    @property
    def _report(self) -> RateHeaders:
        """The rate limit in the last answer."""
        return RateHeaders.read(self._heard[-1].headers)


async def _read(calendly: Calendly, account: Account, scope: str, whose: Whose) -> CalendlyError | None:
    """Make the read of a scope. Returns its error, None if it was answered."""
    try:
        await calendly.send(read_of(scope, whose), account, deadline=_deadline())
    except CalendlyError as refused:
        return refused
    return None


def read_of(scope: str, whose: Whose) -> Request:
    """Return the request that reads with a scope."""
    query: dict[str, str | int | bool | None] = {"user": whose.user}
    if scope == "webhooks:read":
        query |= {"organization": whose.organization, "scope": "user"}
    if scope != "availability:read":  # this list has no pages
        query["count"] = 1
    return ME if scope == "users:read" else Request(Endpoint("GET", READS[scope]), query=query)


def _can_be_read(scope: str, whose: Whose) -> bool:
    return whose.organization is not None or scope != "webhooks:read"


def _whose(principal: Principal, person: models.User | None) -> Whose | None:
    if principal.identity is None and person is None:
        return None
    known = principal.identity or identity_of(person or {})
    return Whose(known.user.uri, known.organization.uri if known.organization else None)


def _deadline() -> float:
    return asyncio.get_running_loop().time() + _PATIENCE
