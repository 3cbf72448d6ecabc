"""Events posted to programs, such as a workflow of n8n or a job of CI, that an operator arranges at the machine.

Each program goes by an agent token, whose levels and scopes say what it is told. Rows, deliverer and
rules are those of MCP Events; since the operator names the address, there is no challenge and no end.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

from auth.endpoints import agent_tokens
from auth.endpoints.site import Site
from auth.grants import agent_rows
from auth.grants.agent_token_rows import AgentToken
from auth.grants.bearer_rows import find_agents
from auth.grants.public_network import Resolver, is_public, resolve
from calendly.third_party_text import shown
from events.kinds import KINDS, MEETINGS
from events.outgoing.callback_urls import CallbackUrl
from events.outgoing.standard_webhooks import new_secret
from events.outgoing.standing import EventStanding, EventStandings, Refusal
from events.outgoing.stored_deliveries import outstanding_counts
from events.outgoing.subscriptions import AlreadyArranged, Subscriptions
from events.outgoing.wire import EventsRefusal, Meaning
from server.configuration.terminal import PROGRAM, CommandError, UsageError
from server.hosted.event_delivery import live_families

_FIELD: Final = "delivery.url"
_LISTING: Final = "CALENDLY_MCP_CALLBACK_HOSTS, for this command and for the server"
_HTTPS: Final = 443
_WHY: Final[Mapping[Refusal, str]] = MappingProxyType(
    {
        "access": "its levels keep it from these events. It needs events=read and {capability}=read within "
        "CALENDLY_MCP_ACCESS, and the scope {scope}: its person raises the levels at {issuer}/connections, or make "
        "another token.",
        "scope": f"its token lacks the scope {{scope}}: make one that has it with `{PROGRAM} token create --for "
        "{agent} --scopes {scope}`.",
        "connection": "Calendly did not grant this server {scope} for its person, or they disconnected: they have to "
        "sign in again, at {issuer}.",
    }
)


@dataclass(frozen=True, slots=True)
class ArrangedCallback:
    """What was arranged for a program.

    Attributes:
        agent: What its agent token is called.
        host: Where events are posted.
        subscriptions: The ids of the subscriptions by kind.
        secret: What signs the posts, shown once; None where the address has one already.
    """

    agent: str
    host: str
    subscriptions: Mapping[str, str]
    secret: str | None = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedSubscription:
    """A subscription in the operator's list.

    Attributes:
        id: Its id.
        agent: What its agent is called.
        person: Whose events, a user URI.
        kind: Of which kind.
        arguments: What narrows them.
        host: Where they are posted.
        since: When it began.
        until: When it ends unless it is refreshed, None without an end.
        state: `active`, `suspended`, or `ending` when its agent is gone.
        outstanding: How many events are on their way to it.
        last_delivery: When something arrived last.
        last_error: The last error in one word.
    """

    id: str
    agent: str
    person: str
    kind: str
    arguments: Mapping[str, object]
    host: str
    since: datetime
    until: datetime | None
    state: str
    outstanding: int
    last_delivery: datetime | None
    last_error: str | None

    def facts(self) -> dict[str, object]:
        """Return it as JSON has it."""
        return {
            name: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramCallbacks:
    """Arranges, lists and ends what is posted to programs.

    Attributes:
        site: What knows agent tokens.
        subscriptions: Makes subscriptions.
        standings: Tells what a token may see.
        resolver: Finds the addresses of a host.
    """

    site: Site
    subscriptions: Subscriptions
    standings: EventStandings
    resolver: Resolver = resolve

    async def arrange(self, url: str, agent: str, kinds: Collection[str]) -> ArrangedCallback:
        """Have events of some kinds posted to a URL.

        Args:
            url: A public host's, or a listed one's.
            agent: The name or the id of an agent token.
            kinds: The names of the kinds.

        Raises:
            UsageError: The URL cannot be one.
            CommandError: It cannot be done now; the message says what helps.
            StorageUnavailable: The database failed.
        """
        to = self._allowed(url)
        token = await self._token(agent)
        standings = await self._standings(token, kinds)
        await self._check_public(to)
        try:
            made = await self.subscriptions.arrange(url, new_secret(self.site.random), standings)
        except AlreadyArranged as running:
            kind, subscription = next(iter(running.subscriptions.items()))
            raise CommandError(
                f"{kind} is posted to {to.host} for {shown(token.name)} already. Name other kinds with --kind, or end "
                f"that first with `{PROGRAM} events disable --subscription {subscription}`."
            ) from None
        except EventsRefusal as refused:
            raise CommandError(f"{refused} `{PROGRAM} events list` names them.") from None
        return ArrangedCallback(token.name, to.host, made.subscriptions, made.secret)

    async def end(self, subscription: str) -> str:
        """End a subscription of any agent, and return its host. Raises CommandError and StorageUnavailable."""
        endings = self.subscriptions.endings
        found = next((one for one in await self.find_all() if one.id == subscription), None)
        if found is None or not await endings.end_by_id(subscription):
            raise CommandError(f"There is no such subscription. `{PROGRAM} events list` names them.")
        return found.host

    async def find_all(self) -> Sequence[ListedSubscription]:
        """Return the live subscriptions of all agents, the oldest first. Raises StorageUnavailable."""
        endings = self.subscriptions.endings
        agents = await find_agents(self.site.database, self.site.keyring, None)
        living = {agent.grant_id for agent in agents}
        async with self.site.database.read() as connection:
            found = await endings.rows.every(connection)
            outstanding = await outstanding_counts(connection)
            names = await agent_rows.names(connection, [one.grant for one in found])
        return [
            ListedSubscription(
                id=one.id,
                agent=shown(names.get(one.grant, "")),
                person=one.person,
                kind=one.name,
                arguments=one.arguments,
                host=one.host,
                since=one.created_at,
                until=one.expires_at,
                state=one.state if one.grant in living else "ending",
                outstanding=outstanding.get(one.id, 0),
                last_delivery=one.last_at,
                last_error=one.last_error,
            )
            for one in found
            if not one.is_over(endings.now())
        ]

    def _allowed(self, url: str) -> CallbackUrl:
        """Check that the operator's own settings allow a URL. Raises UsageError and CommandError."""
        rules = self.subscriptions.endings.rules
        try:
            return rules.check(url)
        except EventsRefusal as refused:
            if refused.meaning is Meaning.INVALID_PARAMS:
                local = f" On this machine http works for a host in {_LISTING}." if url.startswith("http:") else ""
                raise UsageError(str(refused).replace(_FIELD, "--to:") + local) from None
            told = (
                "CALENDLY_MCP_CALLBACKS is off, so that nothing is posted anywhere. Set it to public or to listed, "
                "for this command and for the server."
                if rules.callbacks == "off"
                else "CALENDLY_MCP_CALLBACKS is listed, and this host is not: add it to " + _LISTING + "."
            )
            raise CommandError(told) from None

    async def _token(self, name: str) -> AgentToken:
        """Find the agent token that is meant. Raises CommandError."""
        tokens = await agent_tokens.list_all(self.site)
        found = [token for token in tokens if name in {token.name, token.id}]
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(f"{token.id} (of {token.email or token.person})" for token in found)
            raise CommandError(f'Several agent tokens are called "{shown(name)[:60]}"; name one by its id: {ids}.')
        others = ", ".join(dict.fromkeys(shown(token.name) for token in tokens))
        there = f"there are {others}" if others else "there are none"
        raise CommandError(
            f'There is no valid agent token called "{shown(name)[:60]}"; {there}. `{PROGRAM} token create` makes one.'
        )

    async def _standings(self, token: AgentToken, kinds: Collection[str]) -> Mapping[str, EventStanding]:
        """Return what a token may see of kinds, all of which it may. Raises CommandError."""
        families = await live_families(self.site.database, token.person)
        found: dict[str, EventStanding] = {}
        for kind in kinds:
            family = KINDS[kind].family or MEETINGS
            standing = await self.standings.of(token.id, kind)
            refusal = "connection" if standing is None else standing.refusal
            if standing is None or refusal is not None:
                why = _WHY[refusal or "access"].format(
                    capability=family.capability,
                    scope=family.scope,
                    issuer=self.site.issuer,
                    agent=shown(token.name),
                )
                raise CommandError(f"{shown(token.name)} may not have {kind}: {why}")
            if KINDS[kind].family is None or family.name not in families:
                raise CommandError(
                    f"{kind} is not on for this person: `{PROGRAM} events enable --kind {kind}` has Calendly tell it."
                )
            found[kind] = standing
        return found

    async def _check_public(self, to: CallbackUrl) -> None:
        """Check that a host that is not listed is on the internet: no challenge tells it. Raises CommandError."""
        if to.is_listed:
            return
        parts = urlsplit(to.url)
        try:
            addresses = await self.resolver(parts.hostname or "", parts.port or _HTTPS)
        except OSError:
            addresses = ()
        if not addresses:
            raise CommandError(f"{to.host} cannot be found: check its name, or list it in {_LISTING}.")
        if not all(map(is_public, addresses)):
            raise CommandError(f"{to.host} is not an address of the internet: to post there, list it in {_LISTING}.")
