"""Calendly's endpoints, one file per resource."""

from typing import Final

from sandbox.endpoints import (
    activity_log,
    availability,
    contacts,
    data_compliance,
    event_type_settings,
    event_types,
    invitations,
    invitees,
    locations,
    meeting_limits,
    meeting_recaps,
    memberships,
    no_shows,
    one_off_event_types,
    routing_forms,
    scheduled_events,
    schedules,
    scheduling_links,
    teams,
    users,
    webhook_samples,
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
    *schedules.ENDPOINTS,
    *meeting_limits.ENDPOINTS,
    *no_shows.ENDPOINTS,
    *teams.ENDPOINTS,
    *routing_forms.ENDPOINTS,
    *activity_log.ENDPOINTS,
    *webhook_samples.ENDPOINTS,
    *meeting_recaps.ENDPOINTS,
    *event_type_settings.ENDPOINTS,
    *contacts.ENDPOINTS,
)
