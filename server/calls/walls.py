"""What Calendly refused an account a moment ago whatever was asked for: nobody is asked about it again meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, cast

from calendly.errors import CalendlyRefusal, InsufficientScope, PermissionDenied
from calendly.request import JSON, Request
from calendly.scopes import expand
from server.calls.principal import Principal
from tools.toolset.identity import Identity
from tools.toolset.tool import EndpointTool

_KEPT: Final = 300.0
"""How long a refusal is kept, in seconds: whoever grants a scope or upgrades the plan tries again soon."""

_MOST: Final = 1024
_MEMBERS: Final = "/organization_memberships"
_ORGANIZATIONS: Final = "/organizations/"
_BELOW_ENTERPRISE: Final = frozenset({"basic", "essentials", "standard", "professional", "teams"})
_AGAIN: Final = "Calendly said so within the last five minutes, so nobody was asked now."

_Key = tuple[str, frozenset[str], str]
"""A Calendly user, the scopes granted, and what is refused: a scope, an operation, a plan, or `role`."""


@dataclass(slots=True)
class Walls:
    """The refusals of all accounts of this process that hold for any arguments: a scope, a plan, a role."""

    _kept: dict[_Key, tuple[float, CalendlyRefusal]] = field(default_factory=dict[_Key, tuple[float, CalendlyRefusal]])

    def learn(self, principal: Principal, request: Request, refused: CalendlyRefusal, now: float) -> None:
        """Keep a refusal if the same would be refused with other arguments: for a scope, or for the plan."""
        scopes = refused.required_scopes if isinstance(refused, InsufficientScope) else ()
        is_of_plan = isinstance(refused, PermissionDenied) and "upgrade" in (refused.message or "").lower()
        if len(scopes) == 1:  # of several, the token may lack any
            self._keep(principal, scopes[0], refused, now)
        elif is_of_plan or scopes:
            self._keep(principal, str(request.endpoint), refused, now)

    def notice(
        self, principal: Principal, identity: Identity | None, request: Request, answer: JSON, now: float
    ) -> None:
        """Take the person's role and their organization's plan from an answer, if it tells them."""
        if identity is None or not request.is_read:
            return
        if request.path.startswith(_MEMBERS):
            listed = answer.get("collection")
            members = [answer.get("resource"), *(cast("list[object]", listed) if isinstance(listed, list) else [])]
            mine = [
                member
                for member in map(_object, members)
                if _object(member.get("user")).get("uri") == identity.user.uri
            ]
            for member in mine:
                lacks = member.get("role") == "user"
                self._tell(
                    principal, "role", "The person's role in their organization is user." if lacks else None, now
                )
        elif identity.organization is not None and request.path == f"{_ORGANIZATIONS}{identity.organization.uuid}":
            plan = _object(answer.get("resource")).get("plan")
            lacks = plan in _BELOW_ENTERPRISE
            self._tell(principal, "enterprise", f"The organization's plan is {plan}." if lacks else None, now)

    def before(self, principal: Principal, parts: Iterable[EndpointTool], now: float) -> CalendlyRefusal | None:
        """Return the refusal that a call of these endpoints would meet, as far as it is known."""
        for part in parts:
            role, plan = ["role"] if part.role else [], [part.plan] if part.plan else []
            for what in (*sorted(expand({part.scope})), str(part.endpoint), *role, *plan):
                kept = self._kept.get(_key(principal, what))
                if kept is not None and kept[0] > now:
                    return kept[1].retold(f"{kept[1].reason.rstrip('.')}. {_AGAIN}")
        return None

    def _tell(self, principal: Principal, what: str, lack: str | None, now: float) -> None:
        """Keep what a person lacks, or forget it if they do not."""
        self._kept.pop(_key(principal, what), None)
        if lack is not None:
            self._keep(principal, what, PermissionDenied(lack), now)

    def _keep(self, principal: Principal, what: str, refused: CalendlyRefusal, now: float) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        self._kept[_key(principal, what)] = (now + _KEPT, refused)
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]


def _object(value: object) -> JSON:
    return cast("JSON", value) if isinstance(value, dict) else {}


def _key(principal: Principal, what: str) -> _Key:
    return principal.account.user, frozenset(principal.limits.granted or ()), what
