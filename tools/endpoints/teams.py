"""Teams and groups: who in an organization belongs together."""

from dataclasses import dataclass
from typing import Annotated, cast

from pydantic import Field, ValidationInfo
from typing_extensions import override

from calendly import models
from calendly.identifiers import InvalidIdentifier, InvitationId, MembershipId
from tools.fields import (
    Count,
    GroupRef,
    GroupRelationshipRef,
    MaxPages,
    OrganizationRef,
    PageToken,
    TeamRef,
    UserRef,
    no_word,
)
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.lists import Page, page_of
from tools.toolset.schemas import WrittenAsText
from tools.toolset.searched import nothing_matches, searched, whose

teams = Toolset("teams")


@dataclass(frozen=True, slots=True)
class _GroupOwner(WrittenAsText):
    """A membership or, by its URI alone, an invitation."""

    @override
    def parse(self, text: str, info: ValidationInfo) -> MembershipId | InvitationId:
        origins, text = cast("tuple[str, ...]", info.context or ()), text.strip()
        try:
            invitation = InvitationId.parse(text, origins=origins)
            if invitation.parent is not None:
                return invitation
        except InvalidIdentifier:
            pass  # then it has to be a membership
        try:
            return no_word(text, MembershipId.parse(text, origins=origins))
        except InvalidIdentifier as fault:
            raise ValueError(f"{fault} The URI of an invitation will do too.") from None


GroupOwnerRef = Annotated[
    MembershipId | InvitationId, _GroupOwner(), Field(description="URI of a membership or an invitation")
]


def _audited_teams(call: AuditedArguments) -> str:
    return f"the teams of {call.person() if call.values.get('user') is not None else 'the organization'}"


@teams.tool(
    "GET",
    "/organizations/{organization}",
    title="Get organization",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("read", "the organization[ {organization}]"),
)
async def get_organization(call: Call, organization: OrganizationRef | None = None) -> models.Organization:
    """Look up an organization: name, plan and stage. Default: your own."""
    return await call(models.Organization, organization=await call.own(organization))


@teams.tool(
    "GET",
    "/teams",
    title="List teams",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("list", _audited_teams),
    since="2026-10-30",
)
async def list_teams(
    call: Call,
    user: UserRef | None = None,
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.Team]:
    """List the teams of your organization with their booking pages, or those of one person."""
    query = {"user": await call.uri(user)}
    page = await call.pages(models.Team, query=query, count=count, page_token=page_token, max_pages=max_pages)
    return page_of(page, searched(whose(user)), nothing_matches({"user": user}, page_token))


@teams.tool(
    "GET",
    "/teams/{team}",
    title="Get team",
    scope="organizations:read",
    capability="organization",
    audit=Sentence("read", "the team {team}"),
    since="2026-10-30",
)
async def get_team(call: Call, team: TeamRef) -> models.Team:
    """Look up a team: name and booking page."""
    return await call(models.Team, team=team)


@teams.tool(
    "GET",
    "/groups",
    title="List groups",
    scope="groups:read",
    capability="organization",
    audit=Sentence("list", "the groups of the organization[ {organization}]"),
)
async def list_groups(
    call: Call,
    organization: OrganizationRef | None = None,
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.Group]:
    """List the groups of an organization. Default: your own organization's."""
    query = {"organization": await call.uri(await call.own(organization))}
    page = await call.pages(models.Group, query=query, count=count, page_token=page_token, max_pages=max_pages)
    return page_of(page, searched(whose(organization=organization)), nothing_matches({}, page_token))


@teams.tool(
    "GET",
    "/groups/{group}",
    title="Get group",
    scope="groups:read",
    capability="organization",
    audit=Sentence("read", "the group {group}"),
)
async def get_group(call: Call, group: GroupRef) -> models.Group:
    """Look up a group: name and number of members."""
    return await call(models.Group, group=group)


@teams.tool(
    "GET",
    "/group_relationships",
    title="List group relationships",
    scope="groups:read",
    capability="organization",
    audit=Sentence("list", "the members and admins of groups[, of the group {group}][, with {owner}]"),
)
async def list_group_relationships(
    call: Call,
    organization: OrganizationRef | None = None,
    owner: GroupOwnerRef | None = None,
    group: GroupRef | None = None,
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.GroupRelationship]:
    """List who is a member or an admin of which group. Default: of all groups of your organization.

    An owner of type OrganizationInvitation was invited and is not yet a member.
    """
    if organization is None and owner is None and group is None:
        organization = await call.own(None)
    filters = {"owner": owner, "group": group}
    query = {
        "organization": await call.uri(organization),
        **{name: await call.uri(identifier) for name, identifier in filters.items()},
    }
    page = await call.pages(
        models.GroupRelationship, query=query, count=count, page_token=page_token, max_pages=max_pages
    )
    looked = searched(owner.uri if owner else whose(None, organization, group))
    return page_of(page, looked, nothing_matches(filters, page_token))


@teams.tool(
    "GET",
    "/group_relationships/{group_relationship}",
    title="Get group relationship",
    scope="groups:read",
    capability="organization",
    audit=Sentence("read", "the group relationship {group_relationship}"),
)
async def get_group_relationship(call: Call, group_relationship: GroupRelationshipRef) -> models.GroupRelationship:
    """Look up a group relationship: whose, in which group, member or admin."""
    return await call(models.GroupRelationship, group_relationship=group_relationship)
