"""What the endpoints of one server share: its addresses, what it offers, and its parts."""

from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from sqlalchemy import Column
from starlette.requests import Request

from auth.access.levels import Access, Operation
from auth.access.offers import Levels, levels_within
from auth.audit.log import AuditLog
from auth.endpoints.cookies import CookieJar
from auth.endpoints.html import Pages
from auth.grants import rate_limit_rows
from auth.grants.client_documents import DocumentFetcher
from auth.grants.rate_limits import RATE_LIMITS, Counted
from auth.grants.rules import REFRESH_GRACE
from auth.protocol.addresses import Networks, client_address, neighbourhood
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from auth.protocol.scopes import Scopes, least
from auth.protocol.secrets import Random
from auth.upstream.connections import Connections
from auth.upstream.departures import Departures
from auth.upstream.login import Upstream
from storage.connection import DatabaseConnection
from storage.database import Database
from storage.keys import KeyRing
from storage.types import sealed_for

Now = Callable[[], datetime]
"""Returns the time, an aware datetime."""

MCP_PATH: Final = "/mcp"
CALLBACK_PATH: Final = "/oauth/callback"


NamedCondition = Literal["event_types", "hosts"]
"""A condition whose values have names at Calendly."""


@dataclass(frozen=True, slots=True)
class MeetingName:
    """What a meeting is called, and when it is, None if that is not known."""

    name: str
    start: datetime | None


class Names(Protocol):
    """Looks up the names of what belongs to a person. Finds none where they cannot be read now; raises nothing."""

    async def event_types(self, person: str) -> Mapping[str, str]:
        """Return the names of a person's event types by uuid."""
        ...

    async def colleagues(self, person: str) -> Mapping[str, str]:
        """Return the names of the members of a person's organization by uuid."""
        ...

    async def meetings(self, person: str, uuids: Collection[str]) -> Mapping[str, MeetingName]:
        """Return the names of meetings of a person by uuid."""
        ...

    async def missing(self, person: str, kind: NamedCondition, uuids: Collection[str]) -> Collection[str]:
        """Return the uuids of which Calendly says to the person that there is no such thing."""
        ...


class NoNames:
    """Finds none."""

    async def event_types(self, person: str) -> Mapping[str, str]:  # noqa: ARG002 - the Protocol has it
        """Return none."""
        return {}

    async def colleagues(self, person: str) -> Mapping[str, str]:  # noqa: ARG002 - the Protocol has it
        """Return none."""
        return {}

    async def meetings(self, person: str, uuids: Collection[str]) -> Mapping[str, MeetingName]:  # noqa: ARG002 - the Protocol has it
        """Return none."""
        return {}

    async def missing(self, person: str, kind: NamedCondition, uuids: Collection[str]) -> Collection[str]:  # noqa: ARG002 - the Protocol has it
        """Return none."""
        return ()


@dataclass(frozen=True, slots=True)
class ShownWebhook:
    """What a person is told of Calendly's webhook for them.

    Attributes:
        is_on: Calendly has a subscription for them.
        told: How it is with it, a sentence.
        last_at: When Calendly last told something.
        may_change: It can be switched on, or off.
    """

    is_on: bool
    told: str
    last_at: datetime | None = None
    may_change: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownSubscription:
    """What a person is told of an agent's subscription to events.

    Attributes:
        id: Its id.
        told: What the agent is told of, a sentence.
        host: Where it is posted.
        since: When it began.
        last_at: When something arrived there last, None where nothing did.
        is_suspended: Nothing got through for so long that nothing more is posted.
    """

    id: str
    told: str
    host: str
    since: datetime
    last_at: datetime | None
    is_suspended: bool


async def _nobody_to_tell() -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class LeftEvents:
    """What is still to be done once what is kept of a person's events is deleted.

    Attributes:
        webhooks: Calendly's subscriptions, to be removed by `EventsOfPeople.leave`.
        tell: Tells callbacks that nothing more is posted to them.
    """

    webhooks: Sequence[str] = ()
    tell: Callable[[], Coroutine[Any, Any, None]] = _nobody_to_tell


class NotSwitched(Exception):
    """Calendly's webhook could not be switched; the message says why, and what helps."""


class EventsOfPeople(Protocol):
    """What is kept of what happens in the calendars of people."""

    async def webhook(self, person: str) -> ShownWebhook | None:
        """Return how it is with Calendly's webhook for a person; None where there are no events. StorageUnavailable."""
        ...

    async def switch(self, person: str, *, on: bool) -> str:
        """Switch Calendly's webhook on or off, and say that it is. Raises NotSwitched, StorageUnavailable."""
        ...

    async def subscriptions(self, grant: str) -> Sequence[ShownSubscription]:
        """Return the subscriptions of an agent, the oldest first. Raises StorageUnavailable."""
        ...

    async def end_subscription(self, subscription: str, grant: str) -> bool:
        """End a subscription of an agent. Returns whether there was one. Raises StorageUnavailable."""
        ...

    async def forget(self, connection: DatabaseConnection, person: str) -> LeftEvents:
        """Delete everything about a person, in the transaction that ends their last grant.

        Returns:
            What is to be done once the transaction is committed.
        """
        ...

    async def leave(self, person: str, subscriptions: Sequence[str], token: str) -> None:
        """Remove subscriptions at Calendly with an access token that is about to be revoked. Raises nothing."""
        ...


class NoEvents:
    """Keeps none."""

    async def webhook(self, person: str) -> ShownWebhook | None:  # noqa: ARG002 - the Protocol has it
        """Return none."""
        return None

    async def switch(self, person: str, *, on: bool) -> str:  # noqa: ARG002 - the Protocol has it
        """Do nothing."""
        return ""

    async def subscriptions(self, grant: str) -> Sequence[ShownSubscription]:  # noqa: ARG002 - the same
        """Return none."""
        return ()

    async def end_subscription(self, subscription: str, grant: str) -> bool:  # noqa: ARG002 - the same
        """End none."""
        return False

    async def forget(self, connection: DatabaseConnection, person: str) -> LeftEvents:  # noqa: ARG002 - the same
        """Delete nothing."""
        return LeftEvents()

    async def leave(self, person: str, subscriptions: Sequence[str], token: str) -> None:
        """Remove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the endpoints of one server share.

    Attributes:
        issuer: The address that clients use, without a path. It comes from the settings alone.
        ceiling: What the operator allows.
        operations: The operations of the tools that the operator left on.
        registered: The scopes that our application may ask Calendly for.
        calendly_issuers: What Calendly's authorization server may call itself in its answers (RFC 9207).
        sign_in_sources: The hosts of Calendly's sign-in, as sources of a Content-Security-Policy.
        redirect_schemes: The private-use schemes allowed in redirect URIs.
        trusted_proxies: The networks whose `X-Forwarded-For` is believed.
        refresh_grace: How long after its first use a refresh token is taken again.
        rate_limits: The requests of each kind that one address may send in a minute.
        database: Stores everything but the audit log.
        keyring: Encrypts and decrypts what is stored sealed.
        upstream: Calendly as an authorization server.
        connections: The tokens of people at Calendly.
        documents: Fetches the metadata documents of clients, None where they are not taken.
        pages: Renders pages.
        owners: Who sees all people and all agents: user URIs, and e-mail addresses in lower case.
        names: Looks up the names of what belongs to people.
        events: What happens in the calendars of people.
        departures: Remove what people who left have at Calendly.
        audit_log: Stores decisions (`note`) and reads them (`recent`).
        audit_days: How long the audit log is kept, in days.
        now: Returns the time.
        random: Returns random bytes.
    """

    issuer: str
    ceiling: Access
    operations: tuple[Operation, ...]
    registered: Scopes
    calendly_issuers: frozenset[str]
    sign_in_sources: tuple[str, ...]
    redirect_schemes: tuple[str, ...] = PRIVATE_USE_SCHEMES
    trusted_proxies: Networks = ()
    refresh_grace: timedelta = REFRESH_GRACE
    rate_limits: Mapping[Counted, int] = field(default_factory=lambda: RATE_LIMITS)
    database: Database
    keyring: KeyRing = field(repr=False)
    upstream: Upstream
    connections: Connections
    documents: DocumentFetcher | None
    pages: Pages
    owners: frozenset[str] = frozenset()
    names: Names = field(default_factory=NoNames)
    events: EventsOfPeople = field(default_factory=NoEvents)
    departures: Departures = field(default_factory=Departures)
    audit_log: AuditLog
    audit_days: int = 400
    now: Now
    random: Random = field(repr=False)

    @property
    def resource(self) -> str:
        """The URL of the MCP endpoint: the resource that tokens are issued for."""
        return f"{self.issuer}{MCP_PATH}"

    @property
    def offered(self) -> Scopes:
        """All scopes that this server can give."""
        return least({operation.scope for operation in self.operations}, self.registered)

    def is_owner(self, person: str, email: str | None) -> bool:
        """Say whether a person sees all people and all agents."""
        return not self.owners.isdisjoint({person, (email or person).lower()})

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities of the tools that are on."""
        return frozenset(operation.capability for operation in self.operations)

    def levels(self, scopes: Scopes) -> Levels:
        """Return the levels that a person can choose for an agent that asks for these scopes."""
        return levels_within(scopes, self.ceiling, self.operations)

    @property
    def cookies(self) -> CookieJar:
        """The cookies of this server, secure if the issuer is."""
        return CookieJar(urlsplit(self.issuer).scheme == "https", self.keyring)

    def seal(self, text: str, column: Column[Any], row: str) -> bytes:
        """Encrypt text for a column of a row."""
        return self.keyring.seal(text.encode(), **sealed_for(column, row))

    def unseal(self, sealed: bytes, column: Column[Any], row: str) -> str:
        """Decrypt the text in a column of a row. Raises UnreadableSecret."""
        return self.keyring.open(sealed, **sealed_for(column, row)).decode()

    def address(self, request: Request) -> str:
        """Return the client address that a request counts for in rate limits."""
        peer = request.client.host if request.client else "unknown"
        return neighbourhood(client_address(peer, request.headers.getlist("x-forwarded-for"), self.trusted_proxies))

    async def check_rate(self, connection: DatabaseConnection, counted: Counted, address: str) -> None:
        """Raise TooManyRequests if a client address has reached its rate limit."""
        await rate_limit_rows.check(connection, counted, address, self.rate_limits, self.now())

    async def take(self, connection: DatabaseConnection, counted: Counted, address: str) -> None:
        """Count one request of a client address, in a transaction. Raises TooManyRequests at the rate limit."""
        await rate_limit_rows.take(connection, counted, address, self.rate_limits, self.now())

    async def count(self, connection: DatabaseConnection, counted: Counted, address: str) -> None:
        """Count one request of a client address, in a transaction, without a check."""
        await rate_limit_rows.count(connection, counted, address, self.now())
