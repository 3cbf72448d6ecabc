"""The questions for members, webhooks and data. No condition limits these calls."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final

from calendly.identifiers import GroupId, InvitationId, MembershipId, OrganizationId, UserId, WebhookSubscriptionId
from tools.confirming.questions import FOR_GOOD, LONGEST_TEXT, WriteEffects, about, if_allowed, local_time, person_fact
from tools.endpoints.data_compliance import OLDEST_DELETED, delete_invitee_data, delete_scheduled_event_data
from tools.endpoints.organization import (
    create_organization_invitation,
    get_organization_invitation,
    get_organization_membership,
    remove_organization_membership,
    revoke_organization_invitation,
)
from tools.endpoints.teams import get_group
from tools.endpoints.webhooks import create_webhook_subscription, delete_webhook_subscription, get_webhook_subscription
from tools.times import past_span
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, TooLate
from tools.toolset.question import Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of

_DO_NOT: Final = "Do not call again; tell the user why this membership stays."


async def _remove_member(call: Call, membership: MembershipId) -> Question:
    await _require_removable(call, membership)
    found = await if_allowed(call.via(get_organization_membership)(membership))
    user = (found.get("user") if found else None) or {}
    whom = (
        (stored("Member", user.get("name")), stored("E-mail address", user.get("email")))
        if user
        else (stated("Member", str(membership)),)
    )
    return Question("Remove a member from the organization", whom, ("Their access ends at once.",))


async def _require_removable(call: Call, membership: MembershipId) -> None:
    """Raise ArgumentError for a member whom Calendly lets nobody remove."""
    member = await about(call, get_organization_membership, membership)
    if member is None:
        return
    if member.get("role") == "owner":
        raise ArgumentError.of("membership", "This is the owner of the organization, whom nobody can remove.", _DO_NOT)
    me = await if_allowed(call.caller.identity())
    if me is not None and (member.get("user") or {}).get("uri") == me.user.uri:
        raise ArgumentError.of(
            "membership", "This is the person's own membership; nobody can remove themselves.", _DO_NOT
        )


async def _invite(_call: Call, email: str, organization: OrganizationId | None = None) -> Question:
    which = stated("Organization", str(organization) if organization else "your own")
    return Question(
        "Invite somebody to join an organization",
        (which, typed("Calendly will e-mail", email)),
        ("It does so at once.",),
    )


async def _revoke(call: Call, invitation: InvitationId, organization: OrganizationId | None = None) -> Question:
    invited = await about(call, get_organization_invitation, invitation, organization)
    found = await if_allowed(call.via(get_organization_invitation)(invitation, organization))
    which = stored("Invited", found.get("email")) if found else stated("Invitation", str(invitation))
    stops = "The link in the e-mail stops working."
    question = Question("Revoke an invitation to the organization", (which,), (stops,))
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
) -> Question:
    if group is not None:
        await about(call, get_group, group)
    whose = stated("Of", "everybody in the organization" if scope == "organization" else f"the group {group}")
    return Question(
        "Have what happens posted to a web address from now on",
        (
            typed("Web address", url, most=LONGEST_TEXT),
            typed("Events", *events),
            await person_fact(call, "Of", user) if scope == "user" else whose,
        ),
        ("Names and e-mail addresses are in it.",),
    )


async def _unsubscribe(call: Call, webhook_subscription: WebhookSubscriptionId) -> Question:
    await about(call, get_webhook_subscription, webhook_subscription)
    found = await if_allowed(call.via(get_webhook_subscription)(webhook_subscription))
    which = (
        (
            stored("Web address", found.get("callback_url"), most=LONGEST_TEXT),
            stored("Events", *found.get("events") or []),
        )
        if found
        else (stated("Webhook subscription", str(webhook_subscription)),)
    )
    return Question("Delete a webhook subscription", which, ("Nothing is posted to its address any more.",))


async def _delete_data(_call: Call, emails: list[str]) -> Question:
    return Question(
        "Delete for good all that Calendly stores in the organization about people",
        (typed("E-mail addresses", *emails),),
        (FOR_GOOD,),
    )


async def _delete_event_data(call: Call, start_time: datetime, end_time: datetime) -> Question:
    first, last, _ = await past_span(call.caller, start_time, end_time, oldest=OLDEST_DELETED)
    start, end = [await local_time(call, time) or "" for time in (first, last)]
    which = (stated("From", start), stated("Before", end))
    return Question("Delete for good all meetings in the organization in a time range", which, (FOR_GOOD,))


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(remove_organization_membership): WriteEffects(_remove_member),
        tool_of(create_organization_invitation): WriteEffects(_invite),
        tool_of(revoke_organization_invitation): WriteEffects(_revoke),
        tool_of(create_webhook_subscription): WriteEffects(_subscribe),
        tool_of(delete_webhook_subscription): WriteEffects(_unsubscribe),
        tool_of(delete_invitee_data): WriteEffects(_delete_data),
        tool_of(delete_scheduled_event_data): WriteEffects(_delete_event_data),
    }
)
