"""What Calendly sends back, one file per resource.

Every field may be missing or null, and fields that are not named here pass through: Calendly adds some without notice.
Enumerations are plain strings whose known values stand in the description, since a value may be added too.
"""

from calendly.models.availability import AvailabilitySchedule, AvailableTime, BusyTime
from calendly.models.event_type import EventType
from calendly.models.invitee import Invitee
from calendly.models.organization import OrganizationInvitation, OrganizationMembership
from calendly.models.pagination import Pagination
from calendly.models.reading import read
from calendly.models.scheduled_event import Cancellation, ScheduledEvent
from calendly.models.scheduling_link import SchedulingLink
from calendly.models.user import User
from calendly.models.webhook_subscription import WebhookSubscription

__all__ = [
    "AvailabilitySchedule",
    "AvailableTime",
    "BusyTime",
    "Cancellation",
    "EventType",
    "Invitee",
    "OrganizationInvitation",
    "OrganizationMembership",
    "Pagination",
    "ScheduledEvent",
    "SchedulingLink",
    "User",
    "WebhookSubscription",
    "read",
]
