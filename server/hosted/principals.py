"""Who a request to the hosted endpoint is from: nobody but its token says so."""

from dataclasses import dataclass
from functools import partial

from starlette.requests import Request

from auth.access.levels import Access, Limits
from auth.grants.principal import Principal
from auth.upstream.connections import Connections
from calendly.identifiers import OrganizationId, UserId
from calendly.request import Account
from server.calls.confirm import Context
from server.calls.next_steps import made_for_agent_at, signed_in_at
from server.calls.principal import Agent, Party
from server.transports.bearer import principal_of
from tools.toolset.declaring import Identity


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
        refresher = self.connections.refresher
        # What an agent token may do was never asked of Calendly on its behalf.
        asked = principal.scopes if self.registered_itself and by_browser else ()
        return Party(
            account=Account(principal.person, principal.grant_id, refresher.credentials(principal.person)),
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
            note=partial(refresher.note, user=principal.person, asked=asked),
        )


def _identity(principal: Principal) -> Identity | None:
    """Who the person is; None for one without an organization, whom Calendly then has to be asked about."""
    if principal.organization is None:
        return None
    organization = OrganizationId.parse(principal.organization)
    return Identity(UserId.parse(principal.person), organization, principal.timezone)
