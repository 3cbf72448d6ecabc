"""The custom fields of contacts, which are the organization's, and their values."""

import re
from collections.abc import Callable, Mapping
from typing import Final, cast

from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.errors import already_exists, not_found, permission_denied
from sandbox.records.as_json import JsonObject
from sandbox.records.contacts import FieldType, FieldValue, StoredCustomField, StoredFieldOption
from sandbox.records.contacts_as_json import custom_field_json
from sandbox.records.identifiers import new_id
from sandbox.requests.fields import InputFields, objects_in, texts_in
from sandbox.requests.permissions import NO_ACCESS

LONGEST_LABEL: Final = 255
MOST_OPTIONS: Final = 10
KNOWN: Final = frozenset({"label", "field_type", "options", "currency"})
# Those of the reads but the one that an event type's question makes. Calendly's page was not read so far.
CREATABLE: Final = ("text", "number", "currency", "tags", "date", "single_select", "boolean")


def list_custom_fields(call: EndpointCall) -> JsonObject:
    """List the custom fields of the caller's organization, which are not paged."""
    return {"collection": [custom_field_json(one) for one in _own(call)]}


def get_custom_field(call: EndpointCall) -> JsonObject:
    """Return one custom field."""
    definition = call.records.custom_fields.get(call.path["uuid"])
    if definition is None:
        raise not_found()
    if definition.organization != call.caller.organization.id:
        raise permission_denied(NO_ACCESS)
    return {"resource": custom_field_json(definition)}


def create_custom_field(call: EndpointCall) -> JsonObject:
    """Create a custom field. Unlike elsewhere an unknown field is refused."""
    fields = call.body_fields()
    label = fields.text("label", required=True, most=LONGEST_LABEL).strip()
    kind = fields.choice("field_type", CREATABLE, required=True)
    labels = [row.get("label") for row in objects_in(fields.raw("options")) or []]
    is_filled = 1 <= len(labels) <= MOST_OPTIONS and all(isinstance(one, str) and one.strip() for one in labels)
    if (kind == "single_select") != is_filled or (kind != "single_select" and fields.has("options")):
        fields.refuse("options", f"Supply 1 to {MOST_OPTIONS} label-only options for a single_select field.")
    currency = fields.text("currency")
    if (kind == "currency") != bool(re.fullmatch("[A-Za-z]{3}", currency)):
        fields.refuse("currency", "must be an ISO 4217 code, of a currency field alone")
    for name in set(fields.names()) - KNOWN:
        fields.refuse(name, "is not permitted")
    fields.check()
    if any(one.label.casefold() == label.casefold() for one in _own(call)):
        taken = {"parameter": "label", "message": "A custom field with this label already exists."}
        raise already_exists("The resource already exists", taken)
    definition = StoredCustomField(
        new_id(),
        call.caller.organization.id,
        label,
        cast("FieldType", kind),
        call.sandbox.clock.now(),
        tuple(StoredFieldOption(new_id(), str(one)) for one in labels),
        currency.upper() or None,
    )
    call.records.custom_fields[definition.id] = definition
    return {"resource": custom_field_json(definition)}


def read_values(call: EndpointCall, fields: InputFields) -> dict[str, FieldValue | None]:
    """Read the custom fields of a contact by their ids; None clears one."""
    if not fields.has("custom_fields"):
        return {}
    defined = {one.id: one for one in _own(call)}
    read: dict[str, FieldValue | None] = {}
    for row in objects_in(fields.raw("custom_fields")) or [{}]:
        definition, value = defined.get(str(row.get("uuid"))), row.get("value")
        if definition is None:
            fields.refuse("custom_fields", "has an unknown uuid")
        elif value is None:
            read[definition.id] = None
        else:
            _read_value(fields, definition, value, read)
    return read


def _read_value(
    fields: InputFields, definition: StoredCustomField, value: object, read: dict[str, FieldValue | None]
) -> None:
    if definition.field_type == "single_select":
        found = [option for option in definition.options if value in (option.id, option.label)]
        if len(found) != 1:
            options = ", ".join(option.label for option in definition.options)
            fields.refuse("custom_fields", f"{definition.label} must be one of: {options}")
            return
        read[definition.id] = found[0].label
    elif not _FITS[definition.field_type](value):
        fields.refuse("custom_fields", f"{definition.label} must be a {definition.field_type}")
    else:
        read[definition.id] = cast("FieldValue", value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_FITS: Final[Mapping[str, Callable[[object], bool]]] = {
    "text": _is_text,
    "invitee_question": _is_text,
    "number": _is_number,
    "currency": _is_number,
    "date": lambda value: isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value) is not None,
    "boolean": lambda value: isinstance(value, bool),
    "tags": lambda value: texts_in(value) is not None,
}


def _own(call: EndpointCall) -> list[StoredCustomField]:
    organization = call.caller.organization.id
    return [one for one in call.records.custom_fields.values() if one.organization == organization]


_PATH: Final = "/contacts/custom_field_definitions"

ENDPOINTS: Final = (
    SandboxEndpoint("GET", _PATH, ("contacts:read",), 200, list_custom_fields),
    SandboxEndpoint("POST", _PATH, ("contacts:write",), 201, create_custom_field),
    SandboxEndpoint("GET", f"{_PATH}/{{uuid}}", ("contacts:read",), 200, get_custom_field),
)
