"""GET /users/me and /users/{uuid}."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import permission_denied
from sandbox.records.as_json import JsonObject, user_json
from sandbox.requests.permissions import NO_ACCESS, known_user


def get_user(call: EndpointCall) -> JsonObject:
    """Return the caller (`me`), or a member whom the caller administers."""
    uuid = call.path["uuid"]
    person = call.caller.user if uuid == "me" else known_user(call.records, uuid)
    if not call.caller.may_act_for(person):
        raise permission_denied(NO_ACCESS)
    return {"resource": user_json(person)}


ENDPOINTS: Final = (SandboxEndpoint("GET", "/users/{uuid}", ("users:read",), 200, get_user),)
