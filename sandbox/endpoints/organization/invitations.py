"""Invitations to join an organization."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import ApiError, invalid_argument, not_found, permission_denied
from sandbox.records.as_json import JsonObject, invitation_json
from sandbox.records.identifiers import new_id
from sandbox.records.people import StoredInvitation, StoredOrganization
from sandbox.requests.permissions import require_organization

SORT_KEYS: Final[SortKeys[StoredInvitation]] = {"created_at": lambda invitation: invitation.created_at}
NO_SEATS: Final = (
    "You already sent all the invitations you're allotted based upon the number of seats purchased with your account. "
    "Please purchase more seats to send more invitations."
)


def list_organization_invitations(call: EndpointCall) -> JsonObject:
    """List the invitations of an organization the caller administers."""
    fields = call.query_fields()
    email = fields.email("email").lower()
    status = fields.choice("status", ("pending", "accepted", "declined"))
    sort = read_sort(fields, SORT_KEYS, "created_at:asc")
    page = read_page(fields, call.url_path, call.query)
    organization = call.path["uuid"]
    require_organization(call.caller, call.records, organization)
    fields.check()
    rows = [
        invitation
        for invitation in call.records.invitations.values()
        if invitation.organization == organization
        and email in {"", invitation.email.lower()}
        and status in {"", invitation.status}
    ]
    return page.answer(sort(rows), invitation_json)


def create_organization_invitation(call: EndpointCall) -> JsonObject:
    """Invite an address and mail it at once."""
    fields = call.body_fields()
    organization = call.path["uuid"]
    require_organization(call.caller, call.records, organization)
    email = fields.email("email", required=True)
    fields.check()
    for refusal in _refusals(call, call.caller.organization, email):
        raise refusal
    now = call.sandbox.clock.now()
    invitation = StoredInvitation(new_id(), organization, email, "pending", now, now)
    call.records.invitations[invitation.id] = invitation
    text = f"{call.caller.user.name} invited you to join {call.caller.organization.name} on Calendly."
    call.sandbox.outbox.send(now, [email], "You have been invited", text, invitation.uri)
    return {"resource": invitation_json(invitation)}


def _refusals(call: EndpointCall, organization: StoredOrganization, email: str) -> list[ApiError]:
    """Return every error that keeps an address from being invited."""
    records = call.records
    members = [
        records.users[place.user].email.lower()
        for place in records.memberships.values()
        if place.organization == organization.id
    ]
    invited = [
        invitation.email.lower()
        for invitation in records.invitations.values()
        if invitation.organization == organization.id and invitation.status == "pending"
    ]
    reasons: list[ApiError] = []
    if email.lower() in members:
        reasons.append(invalid_argument({"parameter": "email", "message": f"{email} is already in the organization"}))
    if email.lower() in invited:
        reasons.append(invalid_argument({"parameter": "email", "message": f"{email} has already been invited"}))
    if len(members) + len(invited) >= organization.seats:
        reasons.append(permission_denied(NO_SEATS))
    return reasons


def get_organization_invitation(call: EndpointCall) -> JsonObject:
    """Return one invitation."""
    return {"resource": invitation_json(_find(call))}


def revoke_organization_invitation(call: EndpointCall) -> None:
    """Revoke an invitation that was not accepted."""
    invitation = _find(call)
    if invitation.status == "accepted":
        raise invalid_argument({"message": "The invitation has already been accepted."})
    del call.records.invitations[invitation.id]


def _find(call: EndpointCall) -> StoredInvitation:
    require_organization(call.caller, call.records, call.path["org_uuid"])
    invitation = call.records.invitations.get(call.path["uuid"])
    if invitation is None or invitation.organization != call.path["org_uuid"]:
        raise not_found()
    return invitation


ENDPOINTS: Final = (
    SandboxEndpoint(
        "GET", "/organizations/{uuid}/invitations", ("organizations:read",), 200, list_organization_invitations
    ),
    SandboxEndpoint(
        "POST", "/organizations/{uuid}/invitations", ("organizations:write",), 201, create_organization_invitation
    ),
    SandboxEndpoint(
        "GET", "/organizations/{org_uuid}/invitations/{uuid}", ("organizations:read",), 200, get_organization_invitation
    ),
    SandboxEndpoint(
        "DELETE",
        "/organizations/{org_uuid}/invitations/{uuid}",
        ("organizations:write",),
        204,
        revoke_organization_invitation,
    ),
)
