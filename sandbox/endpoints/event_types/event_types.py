"""Event types."""

from typing import Final

from sandbox.booking.openings import schedule_of
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.records.as_json import JsonObject, event_type_json
from sandbox.records.event_types import StoredEventType
from sandbox.requests.fields import MUST_BE_FILLED
from sandbox.requests.permissions import NO_ACCESS, known_user, managed_event_type, require_organization, require_user

SORT_KEYS: Final[SortKeys[StoredEventType]] = {
    "name": lambda kind: kind.name or "",
    "position": lambda kind: kind.position,
    "created_at": lambda kind: kind.created_at,
    "updated_at": lambda kind: kind.updated_at,
}


def list_event_types(call: EndpointCall) -> JsonObject:
    """List the event types of a user or an organization, without deleted ones."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations")
    user = fields.reference("user", "users")
    schedule = fields.reference("user_availability_schedule", "user_availability_schedules")
    active = fields.flag("active")
    admin_managed = fields.flag("admin_managed")
    sort = read_sort(fields, SORT_KEYS, "name:asc")
    page = read_page(fields, call.url_path, call.query)
    if not fields.has("organization") and not fields.has("user"):
        fields.refuse("organization", MUST_BE_FILLED)
        fields.refuse("user", MUST_BE_FILLED)
    if fields.has("user_availability_schedule") and not fields.has("user"):
        fields.refuse("user_availability_schedule", "can only be used together with user")
    fields.check()
    if user:
        require_user(call.caller, known_user(call.records, user))
    if organization and not (user and call.caller.organization.id == organization):
        require_organization(call.caller, call.records, organization, refusal=NO_ACCESS)
    rows = [
        kind
        for kind in call.records.event_types.values()
        if kind.deleted_at is None
        and organization in {"", kind.organization}
        and (not user or user in {kind.owner, *kind.hosts})
        and (not schedule or _uses(call, kind, user, schedule))
        and active in {None, kind.active}
        and admin_managed in {None, kind.admin_managed}
    ]
    return page.answer(sort(rows), lambda kind: event_type_json(call.records, kind))


def _uses(call: EndpointCall, kind: StoredEventType, user: str, schedule: str) -> bool:
    return user not in kind.own_hours and schedule_of(call.records, kind, user).id == schedule


def get_event_type(call: EndpointCall) -> JsonObject:
    """Return one event type, deleted ones included."""
    kind = managed_event_type(call.caller, call.records, call.path["uuid"])
    return {"resource": event_type_json(call.records, kind)}


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/event_types", ("event_types:read",), 200, list_event_types),
    SandboxEndpoint("GET", "/event_types/{uuid}", ("event_types:read",), 200, get_event_type),
)
