"""Who a request to the hosted endpoint is from: nobody but its token says so."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request

from auth.access.levels import Access, Limits
from auth.grants.principal import Principal
from auth.upstream.connections import ConnectionCredentials, Connections
from auth.upstream.lease import narrowing_note, ungranted_note
from calendly.errors import Unreachable
from calendly.identifiers import OrganizationId, UserId
from calendly.request import Account
from calendly.scopes import includes
from server.calls.confirm import Context
from server.calls.next_steps import made_for_agent_at, signed_in_at
from server.calls.principal import Agent, Note, Party
from server.transports.bearer import principal_of
from storage.errors import StorageError
from tools.toolset.declaring import Identity

_UNSTORED: Final = "This server's database does not give the connection to Calendly now, so nothing was sent."


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The people who connected Calendly, through the agents they let in.

    Args:
        connections: Their connections.
        ceiling: What the operator allows.
        address: Where they connect again.
        registered_itself: Nobody made an application at Calendly for this server.
    """

    connections: Connections
    ceiling: Access
    address: str
    registered_itself: bool

    def of(self, context: Context) -> Party:
        """Return whose token the request carries."""
        return self.of_request(context.request)

    def of_request(self, request: Request | None) -> Party:
        """Return whose token a request carries."""
        return self.of_principal(principal_of(request))

    def of_principal(self, principal: Principal) -> Party:
        """Return for whom a token speaks."""
        by_browser = principal.kind == "browser"
        credentials = ConnectedCredentials(self.connections.credentials(principal.person))
        return Party(
            account=Account(principal.person, principal.grant_id, credentials),
            identity=_identity(principal),
            limits=Limits(
                ceiling=self.ceiling, chosen=principal.access, scopes=principal.scopes, granted=principal.granted
            ),
            changes_at=f" at {self.address}/connections",
            steps_up=by_browser,
            advice=signed_in_at(self.address) if by_browser else made_for_agent_at(self.address),
            agent=Agent(
                principal.client_name or "", "registered" if by_browser else "operator", grant=principal.grant_id
            ),
            note=self._note(principal),
        )

    def _note(self, principal: Principal) -> Note:
        async def note(scopes: Iterable[str]) -> str | None:
            try:
                connection = await self.connections.describe(principal.person)
            except StorageError:
                return None
            if connection is None:
                return None
            lost = narrowing_note(connection, scopes, self.connections.remedy)
            # What an agent token may do was never asked of Calendly on its behalf.
            was_asked = principal.kind == "browser" and includes(principal.scopes, scopes)
            return lost or (ungranted_note(connection, scopes) if self.registered_itself and was_asked else None)

        return note


@dataclass(frozen=True, slots=True)
class ConnectedCredentials:
    """A connection's token. Without the database there is none, and what needed one was never sent."""

    connection: ConnectionCredentials = field(repr=False)

    async def access_token(self) -> str:
        """Return the token to send now. Raises as the connection does, and Unreachable without the database."""
        try:
            return await self.connection.access_token()
        except StorageError:
            raise Unreachable(_UNSTORED) from None

    async def renew(self) -> bool:
        """Say, after a 401, whether there is a token worth one more try."""
        try:
            return await self.connection.renew()
        except StorageError:
            return False


def _identity(principal: Principal) -> Identity | None:
    """Who the person is; None for one without an organization, whom Calendly then has to be asked about."""
    if principal.organization is None:
        return None
    organization = OrganizationId.parse(principal.organization)
    return Identity(UserId.parse(principal.person), organization, principal.timezone)
