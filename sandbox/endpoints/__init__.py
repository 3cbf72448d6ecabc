"""Calendly's endpoints, one file or room per resource."""

from typing import Final

from sandbox.endpoints import (
    activity_log,
    availability,
    contacts,
    data_compliance,
    event_types,
    invitees,
    locations,
    meeting_limits,
    meeting_recaps,
    no_shows,
    organization,
    routing_forms,
    scheduled_events,
    schedules,
    scheduling_links,
    shares,
    users,
    webhook_samples,
    webhooks,
)

# GET /users/me is served as GET /users/{uuid}.
ENDPOINTS: Final = (
    *users.ENDPOINTS,
    *event_types.ENDPOINTS,
    *scheduled_events.ENDPOINTS,
    *invitees.ENDPOINTS,
    *availability.ENDPOINTS,
    *scheduling_links.ENDPOINTS,
    *organization.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *data_compliance.ENDPOINTS,
    *locations.ENDPOINTS,
    *schedules.ENDPOINTS,
    *meeting_limits.ENDPOINTS,
    *no_shows.ENDPOINTS,
    *routing_forms.ENDPOINTS,
    *activity_log.ENDPOINTS,
    *webhook_samples.ENDPOINTS,
    *meeting_recaps.ENDPOINTS,
    *shares.ENDPOINTS,
    *contacts.ENDPOINTS,
)
