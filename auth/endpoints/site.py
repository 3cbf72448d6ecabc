"""What the endpoints of one server share: its addresses, what it offers, and what they work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request

from auth.access.levels import Access, Operation
from auth.access.offers import Levels, levels_within
from auth.audit.log import AuditLog
from auth.endpoints.cookies import CookieJar
from auth.endpoints.html import Pages
from auth.grants import rate_limit_rows
from auth.grants.client_documents import DocumentFetcher
from auth.grants.rate_limits import RATE_LIMITS, Counted
from auth.protocol.addresses import Networks, client_address, neighbourhood
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from auth.protocol.scopes import Scopes, least
from auth.protocol.secrets import Random
from auth.upstream.connections import Connections
from auth.upstream.login import Upstream
from storage.database import Database
from storage.keys import KeyRing

Now = Callable[[], datetime]
"""The time, aware."""

MCP_PATH: Final = "/mcp"
CALLBACK_PATH: Final = "/oauth/callback"


class EventTypes(Protocol):
    """Knows the event types of people."""

    async def names(self, person: str) -> Mapping[str, str]:
        """Return the names of a person's event types by uuid; none when they cannot be had now. Raises nothing."""
        ...


class NoEventTypes:
    """Knows none."""

    async def names(self, person: str) -> Mapping[str, str]:  # noqa: ARG002 - the Protocol has it
        """Return none."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Realm:
    """What the endpoints of one server share.

    Attributes:
        issuer: The address clients use, without a path; nothing that a request says changes it.
        ceiling: What the operator allows.
        operations: What the tools do that the operator left on.
        registered: What our application may ask Calendly for.
        sign_in_sources: Where Calendly's sign-in is, as sources of a Content-Security-Policy.
        redirect_schemes: The private-use schemes allowed in redirect URIs.
        trusted_proxies: The networks whose `X-Forwarded-For` counts.
        rate_limits: How many of each an address may send in a minute.
        upstream: Where people sign in.
        connections: Where their tokens of Calendly's go.
        documents: Fetches the metadata documents of clients.
        owners: Who sees all people and all agents: user URIs, and e-mail addresses in lower case.
        event_types: Knows the names of people's event types.
        audit_log: Where decisions are noted (`note`) and found again (`recent`).
        audit_days: For how many days the audit log is kept.
    """

    issuer: str
    ceiling: Access
    operations: tuple[Operation, ...]
    registered: Scopes
    sign_in_sources: tuple[str, ...]
    redirect_schemes: tuple[str, ...] = PRIVATE_USE_SCHEMES
    trusted_proxies: Networks = ()
    rate_limits: Mapping[Counted, int] = field(default_factory=lambda: RATE_LIMITS)
    database: Database
    keyring: KeyRing = field(repr=False)
    upstream: Upstream
    connections: Connections
    documents: DocumentFetcher
    pages: Pages
    owners: frozenset[str] = frozenset()
    event_types: EventTypes = field(default_factory=NoEventTypes)
    audit_log: AuditLog
    audit_days: int = 400
    now: Now
    random: Random = field(repr=False)

    @property
    def resource(self) -> str:
        """The MCP endpoint, which tokens are for."""
        return f"{self.issuer}{MCP_PATH}"

    @property
    def offered(self) -> Scopes:
        """All the scopes that this server has to give."""
        return least({operation.scope for operation in self.operations}, self.registered)

    def is_owner(self, person: str, email: str | None) -> bool:
        """Say whether somebody sees all people and all agents."""
        return not self.owners.isdisjoint({person, (email or person).lower()})

    def levels(self, scopes: Scopes) -> Levels:
        """What a person can choose for an agent that asks for these scopes."""
        return levels_within(scopes, self.ceiling, self.operations)

    @property
    def cookies(self) -> CookieJar:
        """Our cookies, secure wherever the issuer is."""
        return CookieJar(secure=urlsplit(self.issuer).scheme == "https")

    def address(self, request: Request) -> str:
        """Return the address that a request counts for in rate limits."""
        peer = request.client.host if request.client else "unknown"
        return neighbourhood(client_address(peer, request.headers.getlist("x-forwarded-for"), self.trusted_proxies))

    async def check_rate(self, connection: AsyncConnection, counted: Counted, address: str) -> None:
        """Raise TooManyRequests when an address has no room for one more."""
        await rate_limit_rows.check(connection, counted, address, self.rate_limits, self.now())

    async def take(self, connection: AsyncConnection, counted: Counted, address: str) -> None:
        """Count one more for an address, on a transaction. Raises TooManyRequests when there was no room."""
        await rate_limit_rows.take(connection, counted, address, self.rate_limits, self.now())

    async def count(self, connection: AsyncConnection, counted: Counted, address: str) -> None:
        """Count one more for an address, on a transaction."""
        await rate_limit_rows.count(connection, counted, address, self.now())
