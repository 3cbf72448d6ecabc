"""Calendly's resources, one file each.

Any field can be missing or null. Unknown fields pass through, as Calendly adds some without notice.
Enumerations are strings with their known values in the description, as Calendly may add values.
"""

from calendly.models.availability import AvailabilitySchedule, AvailableTime, BusyTime, UserMeetingLocation
from calendly.models.event_type import EventType, EventTypeMembership
from calendly.models.invitee import Invitee, InviteeNoShow
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
    "EventTypeMembership",
    "Invitee",
    "InviteeNoShow",
    "OrganizationInvitation",
    "OrganizationMembership",
    "Pagination",
    "ScheduledEvent",
    "SchedulingLink",
    "User",
    "UserMeetingLocation",
    "WebhookSubscription",
    "read",
]
