"""The organization, its teams and groups, and who is in a group. Every member may see them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, cast

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import read_page
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, invitation_json, membership_json, stamp
from sandbox.records.identifiers import PAGES, StoredResource, fixed_id, uri
from sandbox.records.people import StoredGroup, StoredInvitation, StoredMembership, StoredOrganization, StoredTeam
from sandbox.records.records import Records
from sandbox.requests.permissions import FOREIGN_USER, NO_ACCESS, NO_PERMISSION, known_user

PLANS: Final = {"free": ("basic", "free"), "paid": ("teams", "paid"), "enterprise": ("enterprise", "paid")}
"""Calendly's plan and stage for each plan of the sandbox."""

OWNER: Final = "(?:organization_memberships|organizations/[^/]+/invitations)"


@dataclass
class Relationship(StoredResource):
    """What makes somebody a member or an admin of a group. It follows from the group."""

    collection: ClassVar[str] = "group_relationships"

    group: StoredGroup
    role: Literal["member", "admin"]
    owner: StoredMembership | StoredInvitation


def get_organization(call: EndpointCall) -> JsonObject:
    """Return the caller's organization."""
    organization = _own(call, call.path["uuid"], refusal=NO_ACCESS)
    plan, stage = PLANS[organization.plan]
    return {
        "resource": {
            "uri": organization.uri,
            "kind": "single" if organization.seats == 1 else "multiple",
            "name": organization.name,
            "plan": plan,
            "stage": stage,
            "created_at": stamp(organization.created_at),
            "updated_at": stamp(organization.created_at),
        }
    }


def list_teams(call: EndpointCall) -> JsonObject:
    """List the teams of the caller's organization, or those of one of its users."""
    fields = call.query_fields()
    user = fields.reference("user", "users")
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    if user and known_user(call.records, user).organization != call.caller.organization.id:
        raise permission_denied(FOREIGN_USER)
    rows = [
        team
        for team in call.records.teams.values()
        if team.organization == call.caller.organization.id and (not user or user in team.members)
    ]
    return page.answer(rows, _team_json)


def get_team(call: EndpointCall) -> JsonObject:
    """Return one team."""
    team = call.records.teams.get(call.path["team_uuid"])
    if team is None:
        raise not_found()
    _own(call, team.organization, refusal=NO_ACCESS)
    return {"resource": _team_json(team)}


def list_groups(call: EndpointCall) -> JsonObject:
    """List the groups of the caller's organization."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations", required=True)
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    _own(call, organization)
    rows = [group for group in call.records.groups.values() if group.organization == organization]
    return page.answer(rows, _group_json)


def get_group(call: EndpointCall) -> JsonObject:
    """Return one group."""
    return {"resource": _group_json(_group(call, call.path["uuid"]))}


def list_group_relationships(call: EndpointCall) -> JsonObject:
    """List who is in which group. Without a filter, which no source explains, it is the caller's organization."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations")
    owner = fields.reference("owner", OWNER)
    group = fields.reference("group", "groups")
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    _own(call, organization or call.caller.organization.id)
    if group:
        _group(call, group)
    rows = [
        one
        for one in _relationships(call.records)
        if one.group.organization == call.caller.organization.id
        and group in {"", one.group.id}
        and owner in {"", one.owner.id}
    ]
    return page.answer(rows, lambda one: _relationship_json(call.records, one))


def get_group_relationship(call: EndpointCall) -> JsonObject:
    """Return one relationship."""
    found = next((one for one in _relationships(call.records) if one.id == call.path["uuid"]), None)
    if found is None:
        raise not_found()
    _own(call, found.group.organization, refusal=NO_ACCESS)
    return {"resource": _relationship_json(call.records, found)}


def _own(call: EndpointCall, identifier: str, *, refusal: str = NO_PERMISSION) -> StoredOrganization:
    """Return the organization, which has to be the caller's.

    Raises:
        ApiError: 404 or 403.
    """
    organization = call.records.organizations.get(identifier)
    if organization is None:
        raise not_found()
    if organization.id != call.caller.organization.id:
        raise permission_denied(refusal)
    return organization


def _group(call: EndpointCall, identifier: str) -> StoredGroup:
    group = call.records.groups.get(identifier)
    if group is None:
        raise not_found()
    _own(call, group.organization, refusal=NO_ACCESS)
    return group


def _relationships(records: Records) -> Iterator[Relationship]:
    for group in records.groups.values():
        for owner in records.memberships.values():
            if owner.user in group.members:
                yield _relationship(group, "member", owner)
            if owner.user in group.admins:
                yield _relationship(group, "admin", owner)
        for invitation in records.invitations.values():
            if invitation.id in group.invited:
                yield _relationship(group, "member", invitation)


def _relationship(
    group: StoredGroup, role: Literal["member", "admin"], owner: StoredMembership | StoredInvitation
) -> Relationship:
    return Relationship(fixed_id(f"relationship {group.id} {role} {owner.id}"), group, role, owner)


def _team_json(team: StoredTeam) -> JsonObject:
    return {
        "uri": team.uri,
        "name": team.name,
        "organization": uri("organizations", team.organization),
        "scheduling_url": f"{PAGES}/{team.slug}",
    }


def _group_json(group: StoredGroup) -> JsonObject:
    return {
        "uri": group.uri,
        "name": group.name,
        "organization": uri("organizations", group.organization),
        "created_at": stamp(group.created_at),
        "updated_at": stamp(group.created_at),
        "member_count": len(group.members),
    }


def _relationship_json(records: Records, one: Relationship) -> JsonObject:
    began = stamp(max(one.group.created_at, one.owner.created_at))
    return {
        "uri": one.uri,
        "role": one.role,
        "owner": _owner_json(records, one.owner),
        "organization": uri("organizations", one.group.organization),
        "group": one.group.uri,
        "created_at": began,
        "updated_at": began,
    }


def _owner_json(records: Records, owner: StoredMembership | StoredInvitation) -> JsonObject:
    if isinstance(owner, StoredInvitation):
        return {"type": "OrganizationInvitation", **invitation_json(owner)}
    told = membership_json(records, owner)
    user = {name: value for name, value in cast("JsonObject", told["user"]).items() if name != "time_notation"}
    return {"type": "OrganizationMembership", **told, "user": user}


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/organizations/{uuid}", ("organizations:read",), 200, get_organization),
    SandboxEndpoint("GET", "/teams", ("organizations:read",), 200, list_teams),
    SandboxEndpoint("GET", "/teams/{team_uuid}", ("organizations:read",), 200, get_team),
    SandboxEndpoint("GET", "/groups", ("groups:read",), 200, list_groups),
    SandboxEndpoint("GET", "/groups/{uuid}", ("groups:read",), 200, get_group),
    SandboxEndpoint("GET", "/group_relationships", ("groups:read",), 200, list_group_relationships),
    SandboxEndpoint("GET", "/group_relationships/{uuid}", ("groups:read",), 200, get_group_relationship),
)
