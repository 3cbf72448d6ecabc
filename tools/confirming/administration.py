"""The questions for event types, members, webhooks and data. No condition limits these calls."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from calendly.identifiers import GroupId, InvitationId, MembershipId, OrganizationId, UserId, WebhookSubscriptionId
from tools.confirming.questions import LONGEST_URL, WriteEffects, about, if_allowed, listed, person_named
from tools.endpoints.data_compliance import delete_invitee_data
from tools.endpoints.event_types import create_one_off_event_type
from tools.endpoints.organization import (
    create_organization_invitation,
    get_organization_invitation,
    get_organization_membership,
    remove_organization_membership,
    revoke_organization_invitation,
)
from tools.endpoints.users import get_user
from tools.endpoints.webhooks import create_webhook_subscription, delete_webhook_subscription, get_webhook_subscription
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, TooLate
from tools.toolset.tool import Tool, tool_of
from tools.toolset.wording import one_line


async def _create_one_off(
    call: Call,
    name: str,
    duration: float,
    host: UserId | None = None,
    co_hosts: list[UserId] | None = None,
    **_: object,
) -> str:
    for co_host in co_hosts or []:
        await about(call, get_user, co_host)
    whose = await person_named(call, host)
    return f"Create the one-off event type '{one_line(name)}' ({duration:g} minutes) of {whose}."


async def _remove_member(call: Call, membership: MembershipId) -> str:
    await _require_removable(call, membership)
    found = await if_allowed(call.via(get_organization_membership)(membership))
    user = (found.get("user") if found else None) or {}
    who = f"{one_line(user.get('name'))} ({one_line(user.get('email'))})" if user else f"the member {membership}"
    return f"Remove {who} from the organization, ending their access at once."


async def _require_removable(call: Call, membership: MembershipId) -> None:
    """Raise ArgumentError for a member whom Calendly lets nobody remove."""
    member = await about(call, get_organization_membership, membership)
    if member is None:
        return
    if member.get("role") == "owner":
        raise ArgumentError.of("membership", "This is the owner of the organization, whom nobody can remove.")
    me = await if_allowed(call.caller.identity())
    if me is not None and (member.get("user") or {}).get("uri") == me.user.uri:
        raise ArgumentError.of("membership", "This is the person's own membership; nobody can remove themselves.")


async def _invite(_call: Call, email: str, organization: OrganizationId | None = None) -> str:
    which = f"the organization {organization}" if organization else "your organization"
    return f"Invite {one_line(email)} to join {which}; Calendly will e-mail {one_line(email)} at once."


async def _revoke(call: Call, invitation: InvitationId, organization: OrganizationId | None = None) -> str:
    invited = await about(call, get_organization_invitation, invitation, organization)
    found = await if_allowed(call.via(get_organization_invitation)(invitation, organization))
    which = f"of {one_line(found.get('email'))}" if found else str(invitation)
    question = f"Revoke the invitation {which} to the organization; the link in the e-mail stops working."
    if invited and invited.get("status") == "accepted":
        raise TooLate("This invitation was accepted already, so there is nothing to revoke.", question)
    return question


async def _subscribe(
    call: Call,
    url: str,
    events: list[str],
    scope: str = "user",
    user: UserId | None = None,
    group: GroupId | None = None,
    **_: object,
) -> str:
    everybody = "everybody in the organization" if scope == "organization" else f"the group {group}"
    subject = await person_named(call, user) if scope == "user" else everybody
    return (
        f"Post {listed(events)} of {subject} to {one_line(url, LONGEST_URL)} from now on, "
        "with the names and e-mail addresses in them."
    )


async def _unsubscribe(call: Call, webhook_subscription: WebhookSubscriptionId) -> str:
    await about(call, get_webhook_subscription, webhook_subscription)
    found = await if_allowed(call.via(get_webhook_subscription)(webhook_subscription))
    if found is None:
        return f"Delete the webhook subscription {webhook_subscription}; nothing is posted to its address any more."
    url = one_line(found.get("callback_url"), LONGEST_URL)
    return (
        f"Delete the webhook subscription for {listed(found.get('events') or [])}; nothing is posted to {url} any more."
    )


async def _delete_data(_call: Call, emails: list[str]) -> str:
    return (
        f"Delete for good all that Calendly stores in the organization about {listed(emails)}. This cannot be undone."
    )


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_one_off_event_type): WriteEffects(_create_one_off),
        tool_of(remove_organization_membership): WriteEffects(_remove_member),
        tool_of(create_organization_invitation): WriteEffects(_invite),
        tool_of(revoke_organization_invitation): WriteEffects(_revoke),
        tool_of(create_webhook_subscription): WriteEffects(_subscribe),
        tool_of(delete_webhook_subscription): WriteEffects(_unsubscribe),
        tool_of(delete_invitee_data): WriteEffects(_delete_data),
    }
)
