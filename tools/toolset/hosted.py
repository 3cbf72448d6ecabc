"""What Calendly's own hosted MCP server offers (developer.calendly.com, "Supported tools")."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

HOSTED: Final = "hosted"
"""The preset of these tools."""

THEIR_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "create_event_type": "event_types-create_event_type",
        "update_event_type": "event_types-update_event_type",
        "list_event_types": "event_types-list_event_types",
        "get_event_type": "event_types-get_event_type",
        "list_event_type_available_times": "event_types-list_event_type_available_times",
        "list_event_type_availability_schedules": "event_types-list_event_type_availability_schedule",
        "update_event_type_availability_schedules": "event_types-update_event_type_availability_schedule",
        "list_user_meeting_locations": "locations-list_user_meeting_locations",
        "list_scheduled_events": "meetings-list_events",
        "get_scheduled_event": "meetings-get_event",
        "cancel_scheduled_event": "meetings-cancel_event",
        "create_event_invitee": "meetings-create_invitee",
        "list_event_invitees": "meetings-list_event_invitees",
        "get_event_invitee": "meetings-get_event_invitee",
        "create_invitee_no_show": "meetings-create_invitee_no_show",
        "get_invitee_no_show": "meetings-get_invitee_no_show",
        "delete_invitee_no_show": "meetings-delete_invitee_no_show",
        "create_single_use_scheduling_link": "scheduling_links-create_single_use_scheduling_link",
        "create_share": "shares-create_share",
        "list_user_availability_schedules": "availability-list_user_availability_schedules",
        "get_user_availability_schedule": "availability-get_user_availability_schedule",
        "list_user_busy_times": "availability-list_user_busy_times",
        "list_routing_forms": "routing_forms-list_routing_forms",
        "get_routing_form": "routing_forms-get_routing_form",
        "list_routing_form_submissions": "routing_forms-list_routing_form_submissions",
        "get_routing_form_submission": "routing_forms-get_routing_form_submission",
        "get_current_user": "users-get_current_user",
        "get_user": "users-get_user",
        "get_organization": "organizations-get_organization",
        "list_organization_memberships": "organizations-list_organization_memberships",
        "get_organization_membership": "organizations-get_organization_membership",
        "list_organization_invitations": "organizations-list_organization_invitations",
        "create_organization_invitation": "organizations-create_organization_invitation",
        "revoke_organization_invitation": "organizations-revoke_organization_invitation",
    }
)
"""Our name of each operation, and the name there. Its two tools that load texts for agents are no operations."""
