"""Who belongs to an organization: members, invitations, teams and groups."""

from typing import Final

from sandbox.endpoints.organization import invitations, memberships, teams

ENDPOINTS: Final = (*memberships.ENDPOINTS, *invitations.ENDPOINTS, *teams.ENDPOINTS)
