"""Routing forms and their submissions, on plans that have them. Every member may see them."""

from typing import Final

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import not_found, permission_denied
from sandbox.records.as_json import JsonObject
from sandbox.records.routing_forms import StoredRoutingForm, StoredSubmission
from sandbox.records.routing_forms_as_json import routing_form_json, submission_json
from sandbox.requests.permissions import NO_ACCESS, NO_PERMISSION

FORM_SORT_KEYS: Final[SortKeys[StoredRoutingForm]] = {"created_at": lambda form: form.created_at}
SUBMISSION_SORT_KEYS: Final[SortKeys[StoredSubmission]] = {"created_at": lambda one: one.created_at}


def list_routing_forms(call: EndpointCall) -> JsonObject:
    """List the forms of the caller's organization."""
    fields = call.query_fields()
    organization = fields.reference("organization", "organizations", required=True)
    sort = read_sort(fields, FORM_SORT_KEYS, "created_at:asc")
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    if organization not in call.records.organizations:
        raise not_found()
    _require_forms(call, organization, refusal=NO_PERMISSION)
    rows = [form for form in call.records.routing_forms.values() if form.organization == organization]
    return page.answer(sort(rows), routing_form_json)


def get_routing_form(call: EndpointCall) -> JsonObject:
    """Return one form."""
    return {"resource": routing_form_json(_form(call, call.path["uuid"]))}


def list_routing_form_submissions(call: EndpointCall) -> JsonObject:
    """List the submissions of a form."""
    fields = call.query_fields()
    identifier = fields.reference("form", "routing_forms", required=True)
    sort = read_sort(fields, SUBMISSION_SORT_KEYS, "created_at:desc")
    page = read_page(fields, call.url_path, call.query)
    fields.check()
    form = _form(call, identifier)
    rows = [one for one in call.records.submissions.values() if one.form == form.id]
    return page.answer(sort(rows), lambda one: submission_json(call.records, one))


def get_routing_form_submission(call: EndpointCall) -> JsonObject:
    """Return one submission."""
    found = call.records.submissions.get(call.path["uuid"])
    if found is None:
        raise not_found()
    _form(call, found.form)
    return {"resource": submission_json(call.records, found)}


def _form(call: EndpointCall, identifier: str) -> StoredRoutingForm:
    form = call.records.routing_forms.get(identifier)
    if form is None:
        raise not_found()
    _require_forms(call, form.organization, refusal=NO_ACCESS)
    return form


def _require_forms(call: EndpointCall, organization: str, *, refusal: str) -> None:
    """Require a member, and a plan with routing forms, for whose absence no other message is known."""
    if organization != call.caller.organization.id:
        raise permission_denied(refusal)
    if call.caller.organization.plan == "free":
        raise permission_denied(NO_ACCESS)


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/routing_forms", ("routing_forms:read",), 200, list_routing_forms),
    SandboxEndpoint("GET", "/routing_forms/{uuid}", ("routing_forms:read",), 200, get_routing_form),
    SandboxEndpoint("GET", "/routing_form_submissions", ("routing_forms:read",), 200, list_routing_form_submissions),
    SandboxEndpoint(
        "GET", "/routing_form_submissions/{uuid}", ("routing_forms:read",), 200, get_routing_form_submission
    ),
)
