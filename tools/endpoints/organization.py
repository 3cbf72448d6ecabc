"""The organization: its members, and invitations to join."""

from typing import Literal

from typing_extensions import TypedDict

from calendly import models
from calendly.identifiers import InvitationId, OrganizationId, UserId
from tools.fields import (
    ByCreation,
    Count,
    Email,
    InvitationRef,
    MaxPages,
    MembershipRef,
    OrganizationRef,
    PageToken,
    UserRef,
    within,
)
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import nothing_matches, only_yours, searched, whose

organizations = Toolset()


def _audited_members(call: AuditedArguments) -> str:
    whose = call.person() if not (call.values.get("email") or call.values.get("role")) else "the organization"
    return f"the memberships of {whose}{call.given('email', ' for {}')}{call.given('role', ' with the role {}')}"


class Removal(TypedDict, total=False):
    """What was ended. Calendly's own answer is empty."""

    uri: str
    status: str


@organizations.tool(
    "GET",
    "/organization_memberships",
    title="List organization memberships",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("list", _audited_members),
)
async def list_organization_memberships(
    call: Call,
    user: UserRef | None = None,
    organization: OrganizationRef | None = None,
    email: Email | None = None,
    role: Literal["owner", "admin", "user"] | None = None,
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.OrganizationMembership]:
    """List members of an organization with their roles, or find one by e-mail.

    Default: your own membership; with email or role, your organization's (admin only).
    """
    if user is None and organization is None:
        if email is None and role is None:
            user = UserId.ME
        else:
            organization = await call.own(None)
    filters = {"email": email, "role": role}
    query = {"user": await call.uri(user), "organization": await call.uri(organization), **filters}
    page = await call.pages(
        models.OrganizationMembership, query=query, count=count, page_token=page_token, max_pages=max_pages
    )
    beyond = only_yours(user, "organization")
    return page_of(page, searched(whose(user, organization)), nothing_matches(filters, page_token, beyond=beyond))


@organizations.tool(
    "GET",
    "/organization_memberships/{membership}",
    title="Get organization membership",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("read", "the membership {membership}"),
)
async def get_organization_membership(call: Call, membership: MembershipRef) -> models.OrganizationMembership:
    """Look up a member of an organization by membership: person and role."""
    return await call(models.OrganizationMembership, membership=membership)


@organizations.tool(
    "DELETE",
    "/organization_memberships/{membership}",
    title="Remove organization member",
    scope="organizations:write",
    capability="organization",
    audit=Sentence("remove", "the member {membership}"),
    destructive=True,
    role="admin",
)
async def remove_organization_membership(call: Call, membership: MembershipRef) -> Removal:
    """Remove a member from the organization. They lose access at once.

    The owner and yourself cannot be removed.
    """
    await call.done(membership=membership)
    return {"uri": membership.uri, "status": "removed"}


@organizations.tool(
    "GET",
    "/organizations/{organization}/invitations",
    title="List organization invitations",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("list", "the {status} invitations to the organization[ of {email}]"),
    role="admin",
)
async def list_organization_invitations(
    call: Call,
    organization: OrganizationRef | None = None,
    status: Literal["pending", "accepted", "declined"] | None = None,
    email: Email | None = None,
    sort: ByCreation = "created_at:asc",
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.OrganizationInvitation]:
    """List invitations to join your organization, pending or answered."""
    filters = {"status": status, "email": email}
    page = await call.pages(
        models.OrganizationInvitation,
        query={**filters, "sort": sort},
        count=count,
        page_token=page_token,
        max_pages=max_pages,
        organization=await call.own(organization),
    )
    looked = searched(whose(organization=organization), status=status)
    return page_of(page, looked, nothing_matches(filters, page_token))


@organizations.tool(
    "POST",
    "/organizations/{organization}/invitations",
    title="Create organization invitation",
    scope="organizations:write",
    capability="organization",
    audit=Sentence("invite", lambda call: f"{call.given('email') or 'somebody'} to the organization"),
    role="admin",
)
async def create_organization_invitation(
    call: Call, email: Email, organization: OrganizationRef | None = None
) -> models.OrganizationInvitation:
    """Invite a person to join your organization by e-mail. Calendly sends it at once; it may take a paid seat."""
    body = {"email": email}
    return await call(models.OrganizationInvitation, body=body, organization=await call.own(organization))


@organizations.tool(
    "GET",
    "/organizations/{organization}/invitations/{invitation}",
    title="Get organization invitation",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("read", "the invitation {invitation} to the organization"),
    role="admin",
)
async def get_organization_invitation(
    call: Call, invitation: InvitationRef, organization: OrganizationRef | None = None
) -> models.OrganizationInvitation:
    """Look up an invitation to the organization: address and status."""
    found = await _located(call, invitation, organization)
    return await call(models.OrganizationInvitation, invitation=found)


@organizations.tool(
    "DELETE",
    "/organizations/{organization}/invitations/{invitation}",
    title="Revoke organization invitation",
    scope="organizations:write",
    capability="organization",
    audit=Sentence("revoke", "the invitation {invitation} to the organization"),
    destructive=True,
    role="admin",
)
async def revoke_organization_invitation(
    call: Call, invitation: InvitationRef, organization: OrganizationRef | None = None
) -> Removal:
    """Revoke a pending invitation to the organization. The e-mailed link stops working."""
    found = await _located(call, invitation, organization)
    await call.done(invitation=found)
    return {"uri": found.uri, "status": "revoked"}


async def _located(call: Call, invitation: InvitationId, organization: OrganizationId | None) -> InvitationId:
    """Return the invitation with its organization: from its URI, else as given, else the caller's own."""
    return within(invitation, organization if invitation.parent else await call.own(organization))
