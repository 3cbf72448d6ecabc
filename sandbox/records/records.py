"""All records of a sandbox."""

from dataclasses import dataclass, field

from sandbox.records.activity import StoredActivity, StoredMessage
from sandbox.records.contacts import StoredContact, StoredContactList, StoredCustomField, StoredNote
from sandbox.records.credentials import (
    StoredAccessToken,
    StoredAuthorizationCode,
    StoredOAuthClient,
    StoredRefreshToken,
)
from sandbox.records.event_types import StoredEventType, StoredSchedulingLink
from sandbox.records.meeting_recaps import StoredMeetingRecap
from sandbox.records.people import (
    StoredGroup,
    StoredInvitation,
    StoredMembership,
    StoredOrganization,
    StoredSchedule,
    StoredTeam,
    StoredUser,
)
from sandbox.records.routing_forms import StoredRoutingForm, StoredSubmission
from sandbox.records.scheduled_events import StoredInvitee, StoredScheduledEvent
from sandbox.records.webhooks import StoredWebhookSubscription


@dataclass
class Records:
    """All records by id; tokens, codes and links by their value."""

    organizations: dict[str, StoredOrganization] = field(default_factory=dict[str, StoredOrganization])
    users: dict[str, StoredUser] = field(default_factory=dict[str, StoredUser])
    memberships: dict[str, StoredMembership] = field(default_factory=dict[str, StoredMembership])
    teams: dict[str, StoredTeam] = field(default_factory=dict[str, StoredTeam])
    groups: dict[str, StoredGroup] = field(default_factory=dict[str, StoredGroup])
    invitations: dict[str, StoredInvitation] = field(default_factory=dict[str, StoredInvitation])
    schedules: dict[str, StoredSchedule] = field(default_factory=dict[str, StoredSchedule])
    event_types: dict[str, StoredEventType] = field(default_factory=dict[str, StoredEventType])
    events: dict[str, StoredScheduledEvent] = field(default_factory=dict[str, StoredScheduledEvent])
    links: dict[str, StoredSchedulingLink] = field(default_factory=dict[str, StoredSchedulingLink])
    contacts: dict[str, StoredContact] = field(default_factory=dict[str, StoredContact])
    custom_fields: dict[str, StoredCustomField] = field(default_factory=dict[str, StoredCustomField])
    contact_lists: dict[str, StoredContactList] = field(default_factory=dict[str, StoredContactList])
    notes: dict[str, StoredNote] = field(default_factory=dict[str, StoredNote])
    webhooks: dict[str, StoredWebhookSubscription] = field(default_factory=dict[str, StoredWebhookSubscription])
    routing_forms: dict[str, StoredRoutingForm] = field(default_factory=dict[str, StoredRoutingForm])
    submissions: dict[str, StoredSubmission] = field(default_factory=dict[str, StoredSubmission])
    activities: dict[str, StoredActivity] = field(default_factory=dict[str, StoredActivity])
    messages: dict[str, StoredMessage] = field(default_factory=dict[str, StoredMessage])
    recaps: dict[str, StoredMeetingRecap] = field(default_factory=dict[str, StoredMeetingRecap])
    access_tokens: dict[str, StoredAccessToken] = field(default_factory=dict[str, StoredAccessToken])
    refresh_tokens: dict[str, StoredRefreshToken] = field(default_factory=dict[str, StoredRefreshToken])
    codes: dict[str, StoredAuthorizationCode] = field(default_factory=dict[str, StoredAuthorizationCode])
    clients: dict[str, StoredOAuthClient] = field(default_factory=dict[str, StoredOAuthClient])

    def membership_of(self, user: str) -> StoredMembership:
        """Return the membership of a user, who always has exactly one."""
        return next(membership for membership in self.memberships.values() if membership.user == user)

    def invitee(self, identifier: str) -> StoredInvitee | None:
        """Return the invitee with an id, in whichever event."""
        found = (one for event in self.events.values() for one in event.invitees if one.id == identifier)
        return next(found, None)
