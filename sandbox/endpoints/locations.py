"""Where a person can hold meetings."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.records.as_json import JsonObject
from sandbox.requests.permissions import known_user, require_user

_PLACES: Final = ("physical", "ask_invitee", "custom", "inbound_call", "outbound_call")
_CONFERENCES: Final = {
    "google_conference": True,
    "gotomeeting_conference": False,
    "microsoft_teams_conference": False,
    "webex_conference": False,
    "zoom_conference": True,
}
"""Every person of the sandbox has connected the same ones."""


def list_user_meeting_locations(call: EndpointCall) -> JsonObject:
    """List every kind of place, without pages, and whether a conference is connected."""
    fields = call.query_fields()
    user = fields.reference("user", "users", required=True)
    fields.check()
    require_user(call.caller, known_user(call.records, user))
    places = [{"kind": kind} for kind in _PLACES]
    conferences = [{"kind": kind, "connected": connected} for kind, connected in _CONFERENCES.items()]
    return {"collection": [*places, *conferences]}


ENDPOINTS: Final = (SandboxEndpoint("GET", "/locations", ("locations:read",), 200, list_user_meeting_locations),)
