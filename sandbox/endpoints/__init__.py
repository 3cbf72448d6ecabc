"""Calendly's endpoints, one file per resource."""

from typing import Final

from sandbox.endpoints import (
    availability,
    data_compliance,
    event_type_settings,
    event_types,
    invitations,
    invitees,
    locations,
    memberships,
    no_shows,
    one_off_event_types,
    scheduled_events,
    scheduling_links,
    users,
    webhooks,
)

# GET /users/me is served as GET /users/{uuid}.
ENDPOINTS: Final = (
    *users.ENDPOINTS,
    *event_types.ENDPOINTS,
    *one_off_event_types.ENDPOINTS,
    *scheduled_events.ENDPOINTS,
    *invitees.ENDPOINTS,
    *availability.ENDPOINTS,
    *scheduling_links.ENDPOINTS,
    *memberships.ENDPOINTS,
    *invitations.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *data_compliance.ENDPOINTS,
    *locations.ENDPOINTS,
    *no_shows.ENDPOINTS,
    *event_type_settings.ENDPOINTS,
)
