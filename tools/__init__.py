"""What an agent may do: one tool for each endpoint, workflows made of several, and what happened."""

from typing import Final

from tools.booking import create_event_invitee, scheduling_links, shares
from tools.endpoints import (
    activity_log,
    availability,
    data_compliance,
    invitees,
    locations,
    meeting_limits,
    meeting_recaps,
    no_shows,
    organization,
    routing_forms,
    scheduled_events,
    schedules,
    teams,
    users,
    webhooks,
)
from tools.endpoints.contacts import contacts, custom_fields, lists, notes
from tools.endpoints.event_types import event_types, one_off, settings
from tools.events import events
from tools.toolset.tool import GUIDE, EndpointTool, FeedTool, HostedWorkflow, Tool, Workflow
from tools.workflows import agenda, bookings_search, meeting_times, rescheduling, summary
from tools.workflows import no_shows as marking
from tools.workflows.hours import change as hours_change

ENDPOINTS: Final[tuple[EndpointTool, ...]] = (
    *users.users.tools,
    *event_types.event_types.tools,
    *one_off.one_off_event_types.tools,
    *scheduled_events.scheduled_events.tools,
    *invitees.invitees.tools,
    *create_event_invitee.booking.tools,
    *availability.availability.tools,
    *scheduling_links.scheduling_links.tools,
    *organization.organizations.tools,
    *webhooks.webhooks.tools,
    *data_compliance.data_compliance.tools,
    *locations.locations.tools,
    *no_shows.no_shows.tools,
    *teams.teams.tools,
    *routing_forms.routing_forms.tools,
    *activity_log.activity_log.tools,
    *data_compliance.meeting_data.tools,
    *webhooks.samples.tools,
    *meeting_recaps.meeting_recaps.tools,
    *settings.event_type_settings.tools,
    *shares.shares.tools,
    *schedules.schedules.tools,
    *meeting_limits.meeting_limits.tools,
    *contacts.contacts.tools,
    *custom_fields.custom_fields.tools,
    *lists.contact_lists.tools,
    *notes.notes.tools,
)
"""The tools of Calendly's endpoints, one each: those of the guide, then the families of the later ones."""

GUIDE_TOOLS: Final[tuple[EndpointTool, ...]] = tuple(tool for tool in ENDPOINTS if tool.toolset == GUIDE)
"""The tools of the guide's endpoints, which are on by default."""

WORKFLOWS: Final[tuple[Workflow, ...]] = (
    *meeting_times.meeting_times.tools,
    *agenda.agenda.tools,
    *bookings_search.bookings_search.tools,
    *summary.summary.tools,
    *rescheduling.rescheduling.tools,
    *marking.no_shows.tools,
    *hours_change.hours.tools,
)
"""The tools that call several endpoints."""

EVENTS: Final[tuple[FeedTool | HostedWorkflow, ...]] = (*events.tools, *events.workflows)
"""The tools of what this server keeps of what happened."""

ALL: Final[tuple[Tool, ...]] = (*ENDPOINTS, *WORKFLOWS, *EVENTS)
"""Every tool, in the order in which agents and people see them."""

__all__ = [
    "ALL",
    "ENDPOINTS",
    "EVENTS",
    "GUIDE_TOOLS",
    "WORKFLOWS",
    "EndpointTool",
    "FeedTool",
    "HostedWorkflow",
    "Tool",
    "Workflow",
]
