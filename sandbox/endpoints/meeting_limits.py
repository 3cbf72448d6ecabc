"""How many meetings a user hosts at most."""

from dataclasses import replace
from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import permission_denied
from sandbox.records.as_json import JsonObject
from sandbox.records.people import StoredUser
from sandbox.requests.permissions import NO_PERMISSION, known_user

_FIELDS: Final = {"daily_limit": "day", "weekly_limit": "week", "monthly_limit": "month"}
_MOST: Final = 9999


def _owner(call: EndpointCall) -> StoredUser:
    """Return the user of the query, who has to be the caller, whatever their role."""
    fields = call.query_fields()
    user = fields.reference("user", "users", required=True)
    fields.check()
    person = known_user(call.records, user)
    if person.id != call.caller.user.id:
        raise permission_denied(NO_PERMISSION)
    return person


def list_user_meeting_limits(call: EndpointCall) -> JsonObject:
    """List the limits of the caller: one row, without pages."""
    most = _owner(call).most
    return {"collection": [{name: getattr(most, period) for name, period in _FIELDS.items()}]}


def update_user_meeting_limits(call: EndpointCall) -> JsonObject:
    """Change limits of the caller; null removes one. What Calendly answers is not known, so it is nothing."""
    person, fields = _owner(call), call.body_fields()
    given = [name for name in _FIELDS if name in call.body]
    changes = {_FIELDS[name]: fields.whole_number(name, least=1, most=_MOST) for name in given}
    if not given:
        fields.refuse("daily_limit", "at least one limit must be given")
    fields.check()
    person.most = replace(person.most, **changes)
    return {}


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/user_meeting_limits", ("availability:read",), 200, list_user_meeting_limits),
    SandboxEndpoint("PATCH", "/user_meeting_limits", ("availability:write",), 200, update_user_meeting_limits),
)
