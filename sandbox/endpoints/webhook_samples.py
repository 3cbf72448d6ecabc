"""GET /sample_webhook_data: what a delivery of a webhook looks like, made of what the organization has."""

from collections.abc import Callable, Mapping
from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.meeting_recaps import recap_json
from sandbox.endpoints.webhooks import EVENTS, ONLY_SCOPE, read_subject, require_subject
from sandbox.errors import not_found
from sandbox.records.as_json import JsonObject, event_type_payload, stamp, webhook_payload
from sandbox.records.identifiers import fixed_id, uri
from sandbox.records.routing_forms_as_json import submission_json
from sandbox.records.scheduled_events import StoredScheduledEvent


def get_sample_webhook_data(call: EndpointCall) -> JsonObject:
    """Return the bare envelope, without a `resource` around it."""
    fields = call.query_fields()
    event = fields.choice("event", tuple(EVENTS), required=True)
    family, _, change = event.partition(".")
    scope, organization, subject = read_subject(fields)
    if ONLY_SCOPE.get(family, scope) != scope:
        fields.refuse("event", f"{event} needs scope {ONLY_SCOPE[family]}")
    fields.check()
    require_subject(call, scope, organization, subject)
    return {
        "event": event,
        "created_at": stamp(call.sandbox.clock.now()),
        "created_by": call.caller.user.uri,
        "payload": _PAYLOADS[family](call, change),
    }


def _event(call: EndpointCall) -> StoredScheduledEvent:
    for event in call.records.events.values():
        if event.organization == call.caller.organization.id and event.invitees:
            return event
    raise not_found()


def _invitee(call: EndpointCall, _change: str) -> JsonObject:
    event = _event(call)
    return webhook_payload(call.records, event, event.invitees[0])


def _event_type(call: EndpointCall, _change: str) -> JsonObject:
    return event_type_payload(call.records, call.records.event_types[_event(call).event_type])


def _submission(call: EndpointCall, _change: str) -> JsonObject:
    for one in call.records.submissions.values():
        if call.records.routing_forms[one.form].organization == call.caller.organization.id:
            return submission_json(call.records, one)
    raise not_found()


def _contact(call: EndpointCall, change: str) -> JsonObject:
    return {"user_uuid": call.caller.user.id, "contact": _made_or_gone(call, "contacts", change)}


def _recap(call: EndpointCall, change: str) -> JsonObject:
    own = next((one for one in call.records.recaps.values() if one.user == call.caller.user.id), None)
    if own is None or change == "deleted":
        return {"event": _event(call).uri, "recap": _made_or_gone(call, "meeting_recaps", change)}
    return {"event": own.event_uri, "recap": recap_json(own)}


def _made_or_gone(call: EndpointCall, collection: str, change: str) -> JsonObject:
    """Return what a delivery says of a resource that the sandbox does not store."""
    now = stamp(call.sandbox.clock.now())
    named: JsonObject = {"uri": uri(collection, fixed_id(f"sample of {collection}"))}
    return {**named, "deleted_at": now} if change == "deleted" else {**named, "created_at": now, "updated_at": now}


_PAYLOADS: Final[Mapping[str, Callable[[EndpointCall, str], JsonObject]]] = {
    "invitee": _invitee,
    "invitee_no_show": _invitee,
    "event_type": _event_type,
    "routing_form_submission": _submission,
    "contact": _contact,
    "meeting_recap": _recap,
}

ENDPOINTS: Final = (SandboxEndpoint("GET", "/sample_webhook_data", ("webhooks:read",), 200, get_sample_webhook_data),)
