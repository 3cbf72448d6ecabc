"""Calendly's resources, one file each.

Any field can be missing or null. Unknown fields pass through, as Calendly adds some without notice.
Enumerations are strings with their known values in the description, as Calendly may add values.
"""

from calendly.models.activity_log import ActivityLogEntry, LogTotals, OutgoingCommunication, Totals
from calendly.models.availability import (
    AvailabilitySchedule,
    AvailableTime,
    BusyTime,
    EventTypeAvailabilitySchedule,
    MeetingLimits,
    UserMeetingLocation,
)
from calendly.models.contact import Contact, ContactList, ContactNote, CustomFieldDefinition
from calendly.models.event_type import EventType, EventTypeMembership
from calendly.models.group import Group, GroupRelationship, Team
from calendly.models.invitee import Invitee, InviteeNoShow
from calendly.models.meeting_recap import ListedMeetingRecap, MeetingRecap, MeetingTranscript
from calendly.models.organization import Organization, OrganizationInvitation, OrganizationMembership
from calendly.models.pagination import Pagination
from calendly.models.reading import read
from calendly.models.routing_form import RoutingForm, RoutingFormSubmission
from calendly.models.scheduled_event import Cancellation, ScheduledEvent
from calendly.models.scheduling_link import SchedulingLink, Share
from calendly.models.user import User
from calendly.models.webhook_subscription import WebhookSample, WebhookSubscription

__all__ = [
    "ActivityLogEntry",
    "AvailabilitySchedule",
    "AvailableTime",
    "BusyTime",
    "Cancellation",
    "Contact",
    "ContactList",
    "ContactNote",
    "CustomFieldDefinition",
    "EventType",
    "EventTypeAvailabilitySchedule",
    "EventTypeMembership",
    "Group",
    "GroupRelationship",
    "Invitee",
    "InviteeNoShow",
    "ListedMeetingRecap",
    "LogTotals",
    "MeetingLimits",
    "MeetingRecap",
    "MeetingTranscript",
    "Organization",
    "OrganizationInvitation",
    "OrganizationMembership",
    "OutgoingCommunication",
    "Pagination",
    "RoutingForm",
    "RoutingFormSubmission",
    "ScheduledEvent",
    "SchedulingLink",
    "Share",
    "Team",
    "Totals",
    "User",
    "UserMeetingLocation",
    "WebhookSample",
    "WebhookSubscription",
    "read",
]
