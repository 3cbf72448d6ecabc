"""Memberships of an organization."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import read_page
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject, membership_json
from sandbox.records.identifiers import new_id
from sandbox.records.people import StoredMembership, StoredOrganization
from sandbox.requests.fields import MUST_BE_FILLED
from sandbox.requests.permissions import FOREIGN_USER, NO_ACTION, known_user, require_organization, require_user


def list_organization_memberships(call: EndpointCall) -> JsonObject:
    """List the memberships of an organization or of one user."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations")
    user = fields.reference("user", "users")
    email = fields.email("email").lower()
    role = fields.choice("role", ("owner", "admin", "user"))
    page = read_page(fields, call.url_path, call.query)
    if not fields.has("organization") and not fields.has("user"):
        fields.refuse("organization", MUST_BE_FILLED)
        fields.refuse("user", MUST_BE_FILLED)
    fields.check()
    if user:
        require_user(call.caller, known_user(call.records, user), refusal=FOREIGN_USER)
    if organization and user != call.caller.user.id:
        require_organization(call.caller, call.records, organization, refusal=FOREIGN_USER)
    rows = [
        place
        for place in call.records.memberships.values()
        if organization in {"", place.organization}
        and user in {"", place.user}
        and role in {"", place.role}
        and email in {"", call.records.users[place.user].email.lower()}
    ]
    return page.answer(rows, lambda place: membership_json(call.records, place))


def get_organization_membership(call: EndpointCall) -> JsonObject:
    """Return one membership."""
    place = _find(call)
    require_user(call.caller, call.records.users[place.user], refusal=FOREIGN_USER)
    return {"resource": membership_json(call.records, place)}


def remove_organization_membership(call: EndpointCall) -> None:
    """Remove a member, who keeps their account in a Free organization of their own."""
    place = _find(call)
    if place.organization != call.caller.organization.id:
        raise permission_denied("You cannot modify members from another organization")
    if not call.caller.is_admin:
        raise permission_denied(NO_ACTION)
    if place.user == call.caller.user.id:
        raise permission_denied("You can not remove yourself from organization")
    if place.role == "owner":
        raise permission_denied("You can not change owner role")
    _move_out(call, place)


def _find(call: EndpointCall) -> StoredMembership:
    place = call.records.memberships.get(call.path["uuid"])
    if place is None:
        raise not_found()
    return place


def _move_out(call: EndpointCall, place: StoredMembership) -> None:
    """Move a member to a new organization.

    Their event types, and their places in teams and groups of the old one, end.
    """
    records, now = call.records, call.sandbox.clock.now()
    person = records.users[place.user]
    own = StoredOrganization(new_id(), person.name, "free", seats=1)
    records.organizations[own.id] = own
    del records.memberships[place.id]
    renewed = StoredMembership(new_id(), person.id, own.id, "owner", now, now)
    records.memberships[renewed.id] = renewed
    person.organization = own.id
    person.updated_at = now
    for kind in records.event_types.values():
        if kind.owner == person.id:
            kind.deleted_at = now
        kind.hosts = tuple(host for host in kind.hosts if host != person.id)
    for team in records.teams.values():
        team.members -= {person.id}
    for group in records.groups.values():
        group.members -= {person.id}
        group.admins -= {person.id}


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/organization_memberships", ("organizations:read",), 200, list_organization_memberships),
    SandboxEndpoint(
        "GET", "/organization_memberships/{uuid}", ("organizations:read",), 200, get_organization_membership
    ),
    SandboxEndpoint(
        "DELETE", "/organization_memberships/{uuid}", ("organizations:write",), 204, remove_organization_membership
    ),
)
