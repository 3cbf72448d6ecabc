"""GET /users/me and /users/{uuid}."""

from sandbox.endpoints.call import Call, Endpoint
from sandbox.errors import permission_denied
from sandbox.permissions import NO_ACCESS, known_user
from sandbox.shapes import Shape, user_shape


def get_user(call: Call) -> Shape:
    """Read the caller (`me`), or a member the caller administers."""
    uuid = call.path["uuid"]
    person = call.caller.user if uuid == "me" else known_user(call.records, uuid)
    if not call.caller.may_act_for(person):
        raise permission_denied(NO_ACCESS)
    return {"resource": user_shape(person)}


ENDPOINTS = (Endpoint("GET", "/users/{uuid}", ("users:read",), 200, get_user),)
