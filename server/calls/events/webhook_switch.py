"""Calendly's webhooks of a person as one agent may switch them: `tools.toolset.feed.WebhookSwitch`."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from calendly.errors import CalendlyError
from calendly.request import JSON, Request
from events.facts import in_seconds
from events.incoming.webhooks import Webhooks
from events.kinds import FAMILIES, KINDS, MEETINGS, EventFamily
from server.calls.events.feed import answering_storage, readable_capabilities
from server.calls.principal import Principal
from tools.toolset.errors import ArgumentError, DeniedByPolicy
from tools.toolset.feed import WatchedFamily
from tools.toolset.identity import Identity


@dataclass(frozen=True, slots=True)
class CalendlyOfCall:
    """Calendly, asked within one call: see `events.incoming.webhooks.CalendlyOfPeople`.

    Attributes:
        sends: Sends a request as every tool does: decided, recorded and paced.
        identity: Who the person is.
    """

    sends: Callable[[Request], Awaitable[JSON]]
    identity: Identity

    async def send(self, person: str, request: Request, *, token: str | None = None) -> JSON:  # noqa: ARG002 - the Protocol has them
        """Send a request. Raises CalendlyError, ToolError."""
        return await self.sends(request)

    async def organization(self, person: str) -> str:  # noqa: ARG002 - the Protocol has it
        """Return the URI of the person's organization."""
        return self.identity.organization.uri if self.identity.organization else ""

    async def signed_in_at(self, person: str) -> datetime | None:  # noqa: ARG002 - the same
        """Say that it is not known."""
        return None


@dataclass(frozen=True, slots=True)
class AgentsWebhooks:
    """The webhooks of a person, as far as an agent may switch them.

    Attributes:
        webhooks: Those of all people, asking Calendly within this call.
        person: The user URI.
        principal: The person and the agent.
    """

    webhooks: Webhooks
    person: str
    principal: Principal

    @classmethod
    def of(
        cls,
        webhooks: Webhooks,
        identity: Identity,
        principal: Principal,
        sends: Callable[[Request], Awaitable[JSON]],
    ) -> "AgentsWebhooks":
        """Make them for one call."""
        return cls(replace(webhooks, calendly=CalendlyOfCall(sends, identity)), identity.user.uri, principal)

    @property
    def out_of_reach(self) -> str | None:
        """Why Calendly cannot post to this server, None where it can."""
        return self.webhooks.out_of_reach

    def families(self, kinds: Collection[str] | None) -> Sequence[str]:
        """Return the families that kinds belong to. Raises ArgumentError, DeniedByPolicy."""
        found = dict.fromkeys(map(_family_of, kinds)) if kinds else {MEETINGS: None}
        readable = readable_capabilities(self.principal.limits)
        for family in found:
            if family.capability not in readable:
                raise DeniedByPolicy(
                    f"Events of {family.name} take the capability {family.capability} at read, with the scope "
                    f"{family.scope}. {self.principal.who_changes('person')}"
                )
        return [family.name for family in found]

    async def states(self) -> Sequence[WatchedFamily]:
        """Return what is on. Raises Unreachable."""
        async with answering_storage():
            found = await self.webhooks.of(self.person)
        rows: list[WatchedFamily] = [{"events": each.family, "state": each.state.value} for each in found]
        return [
            {**row, "last_told": in_seconds(each.last_at)} if each.last_at else row
            for row, each in zip(rows, found, strict=True)
        ]

    async def requests(self, families: Collection[str], *, stop: bool) -> Sequence[Request]:
        """Return what would be sent. Raises CalendlyError, Unreachable."""
        async with answering_storage():
            return await self.webhooks.requests(self.person, _named(families), stop=stop)

    async def switch(self, families: Collection[str], *, stop: bool) -> Mapping[str, CalendlyError]:
        """Make webhooks, or remove them. Raises CalendlyError, ToolError."""
        async with answering_storage():
            if not stop:
                return await self.webhooks.watch(self.person, _named(families))
            await self.webhooks.unwatch(self.person, _named(families))
            return {}


def _family_of(kind: str) -> EventFamily:
    family = KINDS[kind].family if kind in KINDS else None
    if family is None:
        known = ", ".join(name for name, one in KINDS.items() if one.family is not None)
        raise ArgumentError.of("kinds", f"There is no kind {kind[:40]!a} to be told; there are {known}.")
    return family


def _named(families: Collection[str]) -> list[EventFamily]:
    return [family for family in FAMILIES if family.name in families]
