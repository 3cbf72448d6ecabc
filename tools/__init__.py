"""What an agent may do, one file per Calendly resource."""

from typing import Final

from tools import (
    availability,
    booking,
    data_compliance,
    event_types,
    invitees,
    organization,
    scheduled_events,
    scheduling_links,
    users,
    webhooks,
)
from tools.toolset import Tool

ALL: Final[tuple[Tool, ...]] = (
    *users.users.tools,
    *event_types.event_types.tools,
    *scheduled_events.scheduled_events.tools,
    *invitees.invitees.tools,
    *booking.booking.tools,
    *availability.availability.tools,
    *scheduling_links.scheduling_links.tools,
    *organization.organizations.tools,
    *webhooks.webhooks.tools,
    *data_compliance.data_compliance.tools,
)
"""Every tool, in the order in which agents and people see them."""

__all__ = ["ALL", "Tool"]
