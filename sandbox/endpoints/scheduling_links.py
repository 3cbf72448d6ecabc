"""POST /scheduling_links: single-use scheduling links."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.records.as_json import JsonObject
from sandbox.records.event_types import StoredSchedulingLink
from sandbox.records.identifiers import PAGES, new_code
from sandbox.requests.permissions import managed_event_type


def create_single_use_scheduling_link(call: EndpointCall) -> JsonObject:
    """Create a link to an event type that the caller owns, hosts or administers."""
    fields = call.body_fields()
    # The 2026 specification has the string "1", every other source the number.
    most = fields.raw("max_event_count", required=True)
    if fields.has("max_event_count") and (most is True or most not in (1, "1")):
        fields.refuse("max_event_count", "must be 1")
    owner = fields.reference("owner", "event_types", required=True)
    fields.choice("owner_type", ("EventType",), required=True)
    fields.check()
    kind = managed_event_type(call.caller, call.records, owner)
    page = kind.slug or kind.scheduling_url.rpartition("/")[2]
    link = StoredSchedulingLink(f"{PAGES}/d/{new_code()}/{page}", kind.id, call.sandbox.clock.now())
    call.records.links[link.booking_url] = link
    return {"resource": {"booking_url": link.booking_url, "owner": kind.uri, "owner_type": "EventType"}}


ENDPOINTS: Final = (
    SandboxEndpoint("POST", "/scheduling_links", ("scheduling_links:write",), 201, create_single_use_scheduling_link),
)
