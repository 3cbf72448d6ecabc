"""Deletion of what Calendly stores about people and meetings, for Enterprise only."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import permission_denied
from sandbox.records.as_json import JsonObject
from sandbox.requests.fields import MUST_BE_FILLED, is_email, texts_in

NO_DATA_REQUESTS: Final = (
    "You must be an admin/owner with the data requests permission enabled to use this resource. "
    "Contact Calendly support and ask them to grant you data requests permission."
)


def delete_invitee_data(call: EndpointCall) -> JsonObject:
    """Delete invitees by address, and meetings without other invitees.

    Calendly takes up to seven days; the sandbox deletes at once.
    """
    _require_data_requests(call)
    fields = call.body_fields()
    fields.raw("emails", required=True)
    emails = texts_in(fields.raw("emails")) if fields.has("emails") else []
    if emails is None:
        fields.refuse("emails", "must be a list of e-mail addresses")
    elif fields.has("emails") and not emails:
        fields.refuse("emails", MUST_BE_FILLED)
    for email in emails or []:
        if not is_email(email):
            fields.refuse("emails", f"{email} is an invalid email format")
    fields.check()
    _forget(call, {email.lower() for email in emails or []})
    return {}


def _forget(call: EndpointCall, emails: set[str]) -> None:
    events = call.records.events
    for event in [one for one in events.values() if one.organization == call.caller.organization.id]:
        event.guests = [guest for guest in event.guests if guest.email.lower() not in emails]
        event.invitees = [invitee for invitee in event.invitees if invitee.email.lower() not in emails]
        if not event.invitees:
            del events[event.id]


def _require_data_requests(call: EndpointCall) -> None:
    if call.caller.organization.plan != "enterprise":
        raise permission_denied("Please upgrade your Calendly account to Enterprise.")
    if not call.caller.is_admin:
        raise permission_denied(NO_DATA_REQUESTS)


def delete_scheduled_event_data(call: EndpointCall) -> JsonObject:
    """Delete meetings that begin in a past time range, at once."""
    _require_data_requests(call)
    fields = call.body_fields()
    start, end = fields.required_time("start_time"), fields.required_time("end_time")
    if not start < end <= call.sandbox.clock.now():
        fields.refuse("end_time", "must be after start_time and in the past")
    fields.check()
    for event in [one for one in call.records.events.values() if start <= one.times.start < end]:
        if event.organization == call.caller.organization.id:
            del call.records.events[event.id]
    return {}


ENDPOINTS: Final = (
    SandboxEndpoint("POST", "/data_compliance/deletion/invitees", ("data_compliance:write",), 202, delete_invitee_data),
    SandboxEndpoint(
        "POST", "/data_compliance/deletion/events", ("data_compliance:write",), 202, delete_scheduled_event_data
    ),
)
