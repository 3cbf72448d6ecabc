"""Finds the principal of a request to the hosted endpoint by its token."""

from dataclasses import dataclass
from functools import partial
from typing import Self, cast

from starlette.requests import Request

from auth.access.levels import Access, Limits
from auth.endpoints.site import Site
from auth.grants.bearer import Bearer
from auth.upstream.connections import Connections
from calendly.identifiers import OrganizationId, UserId
from calendly.request import Account
from server.calls.confirm import Context
from server.calls.next_steps import made_for_agent_at, signed_in_at
from server.calls.principal import AuditedAgent, Principal
from server.configuration.settings import Settings
from server.transports.bearer import principal_of
from tools.toolset.identity import Identity


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

    @classmethod
    def at(cls, site: Site, settings: Settings) -> Self:
        """Make it for a site."""
        return cls(site.connections, site.ceiling, site.issuer, registered_itself=settings.client_id is None)

    def of(self, context: Context) -> Principal:
        """Return whose token the request carries."""
        return self.of_request(context.request)

    def of_request(self, request: Request | None) -> Principal:
        """Return whose token a request carries. Raises LookupError for a request that did not pass the bearer check."""
        principal = principal_of(request)
        if principal is None:
            raise LookupError("The request did not pass the check of its token.")
        return cast("Principal", principal)

    def known_as(self, bearer: Bearer) -> Principal:
        """Return for whom a token speaks, as calls know it."""
        by_browser = bearer.kind == "browser"
        refresher = self.connections.refresher
        # What an agent token may do was never asked of Calendly on its behalf.
        asked = bearer.scopes if self.registered_itself and by_browser else ()
        return Principal(
            account=Account(bearer.person, bearer.grant_id, refresher.credentials(bearer.person, bearer.connection)),
            identity=_identity(bearer),
            limits=Limits(
                ceiling=self.ceiling,
                chosen=bearer.access,
                scopes=bearer.scopes,
                granted=bearer.granted,
                chosen_by="person" if by_browser else "operator",
            ),
            changes_at=f" at {self.address}/connections",
            steps_up=by_browser,
            advice=signed_in_at(self.address) if by_browser else made_for_agent_at(self.address),
            agent=AuditedAgent(
                bearer.client_name or "", "registered" if by_browser else "operator", grant=bearer.grant_id
            ),
            note=partial(refresher.note, user=bearer.person, asked=asked),
        )


def _identity(bearer: Bearer) -> Identity | None:
    """Who the person is; None for one without an organization, whom Calendly then has to be asked about."""
    if bearer.organization is None:
        return None
    organization = OrganizationId.parse(bearer.organization)
    return Identity(UserId.parse(bearer.person), organization, bearer.timezone)
