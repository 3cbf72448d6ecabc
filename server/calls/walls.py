"""What Calendly refused an account a moment ago whatever was asked for: nobody is asked about it again meanwhile."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, cast

from calendly.errors import CalendlyRefusal, InsufficientScope, PermissionDenied
from calendly.request import JSON, Request
from calendly.scopes import expand
from server.calls.principal import Principal
from tools.toolset.tool import EndpointTool

_KEPT: Final = 300.0
"""How long a refusal is kept, in seconds: whoever grants a scope or upgrades the plan tries again soon."""

_MOST: Final = 1024
_MEMBERS: Final = "/organization_memberships"
_AGAIN: Final = "Calendly said so within the last five minutes, so nobody was asked now."

_Key = tuple[str, frozenset[str], str]
"""A Calendly user, the scopes granted, and what is refused: a scope, an operation, or `role`."""


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

    def notice(self, principal: Principal, user: str | None, request: Request, answer: JSON, now: float) -> None:
        """Take the person's role from an answer about members, if it tells it."""
        if user is None or not (request.is_read and request.path.startswith(_MEMBERS)):
            return
        for found in (answer.get("resource"), *cast("list[object]", answer.get("collection") or ())):
            member = cast("JSON", found) if isinstance(found, dict) else {}
            whose = member.get("user")
            if isinstance(whose, dict) and cast("JSON", whose).get("uri") == user:
                self._kept.pop(_key(principal, "role"), None)
                if member.get("role") == "user":
                    role = PermissionDenied("The person's role in their organization is user.")
                    self._keep(principal, "role", role, now)

    def before(self, principal: Principal, parts: Iterable[EndpointTool], now: float) -> CalendlyRefusal | None:
        """Return the refusal that a call of these endpoints would meet, as far as it is known."""
        for part in parts:
            role = ["role"] if part.role is not None else []
            for what in (*sorted(expand({part.scope})), str(part.endpoint), *role):
                kept = self._kept.get(_key(principal, what))
                if kept is not None and kept[0] > now:
                    return kept[1].retold(f"{kept[1].reason.rstrip('.')}. {_AGAIN}")
        return None

    def _keep(self, principal: Principal, what: str, refused: CalendlyRefusal, now: float) -> None:
        self._kept = {key: kept for key, kept in self._kept.items() if kept[0] > now}
        self._kept[_key(principal, what)] = (now + _KEPT, refused)
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]


def _key(principal: Principal, what: str) -> _Key:
    return principal.account.user, frozenset(principal.limits.granted or ()), what
