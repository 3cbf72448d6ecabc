"""Contacts. Everybody has their own."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, cast

from sandbox.endpoints.contacts.custom_fields import read_values
from sandbox.endpoints.contacts.lists import members_of, own_list
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import SortKeys, read_page, read_sort
from sandbox.errors import already_exists, not_found, permission_denied
from sandbox.records.as_json import JsonObject, stamp
from sandbox.records.contacts import StoredContact
from sandbox.records.contacts_as_json import DETAILS, contact_json
from sandbox.records.identifiers import new_id
from sandbox.requests.fields import MUST_BE_FILLED, InputFields, is_email, objects_in
from sandbox.requests.permissions import NO_ACCESS

MOST: Final = 10
SORT_KEYS: Final[SortKeys[StoredContact]] = {
    "created_at": lambda contact: contact.created_at,
    "updated_at": lambda contact: contact.updated_at,
}


def _detail(name: str) -> Callable[[StoredContact], Iterable[str]]:
    """Return what reads a plain field of a contact."""

    def read(contact: StoredContact) -> Iterable[str]:
        return (contact.details.get(name, ""),)

    return read


# What a filter looks at, and whether a part of it is enough.
FILTERS: Final[Mapping[str, tuple[Callable[[StoredContact], Iterable[str]], bool]]] = {
    "name": (lambda contact: (contact.name,), True),
    "email": (lambda contact: contact.emails, False),
    "phone_number": (lambda contact: contact.phone_numbers, False),
    **{name: (_detail(name), False) for name in ("timezone", "country", "state")},
    **{name: (_detail(name), True) for name in ("job_title", "company", "city")},
}


def list_contacts(call: EndpointCall) -> JsonObject:
    """List the caller's contacts."""
    fields = call.query_fields()
    sort = read_sort(fields, SORT_KEYS, "created_at:asc")
    page = read_page(fields, call.url_path, call.query)
    wanted = {name: fields.text(name) for name in FILTERS if fields.text(name)}
    listed = fields.reference("contact_list", "contact_lists")
    with_fields = _with_fields(fields)
    fields.check()
    members = members_of(call, own_list(call, listed)) if listed else None
    rows = [
        contact
        for contact in call.records.contacts.values()
        if contact.owner == call.caller.user.id
        and (members is None or contact.id in members)
        and all(_matches(contact, name, text) for name, text in wanted.items())
    ]
    return page.answer(sort(rows), lambda contact: contact_json(call.records, contact, with_fields=with_fields))


def _with_fields(fields: InputFields) -> bool:
    return fields.choice("exclude", ("custom_fields",)) == ""


def _matches(contact: StoredContact, name: str, text: str) -> bool:
    values, is_part = FILTERS[name]
    there = [value.casefold() for value in values(contact) if value]
    asked = [part.strip().casefold() for part in text.split(",") if part.strip()]
    return any(part in value if is_part else part == value for part in asked for value in there)


def create_contact(call: EndpointCall) -> JsonObject:
    """Create a contact. No source says when Calendly answers 409: here it is for an address that another one has."""
    fields = call.body_fields()
    now = call.sandbox.clock.now()
    contact = StoredContact(new_id(), call.caller.user.id, "", (), now, now)
    fields.raw("name", required=True)
    if not fields.has("emails"):
        fields.refuse("emails", MUST_BE_FILLED)
    _set(call, fields, contact)
    call.records.contacts[contact.id] = contact
    shown = contact_json(call.records, contact)
    call.sandbox.announce_contact("contact.created", contact, shown)
    return {"resource": shown}


def get_contact(call: EndpointCall) -> JsonObject:
    """Return one contact."""
    fields = call.query_fields()
    with_fields = _with_fields(fields)
    fields.check()
    return {"resource": contact_json(call.records, own_contact(call, call.path["uuid"]), with_fields=with_fields)}


def update_contact(call: EndpointCall) -> JsonObject:
    """Change a contact: addresses and numbers as a whole, of custom fields those that are sent."""
    contact = own_contact(call, call.path["uuid"])
    _set(call, call.body_fields(), contact)
    contact.updated_at = call.sandbox.clock.now()
    shown = contact_json(call.records, contact)
    call.sandbox.announce_contact("contact.updated", contact, shown)
    return {"resource": shown}


def delete_contact(call: EndpointCall) -> None:
    """Delete a contact, from its lists and with the notes about it."""
    contact = own_contact(call, call.path["uuid"])
    records = call.records
    del records.contacts[contact.id]
    for listed in records.contact_lists.values():
        listed.members = [member for member in listed.members if member != contact.id]
    for note in [one for one in records.notes.values() if one.contact == contact.id]:
        del records.notes[note.id]
    gone: JsonObject = {"uri": contact.uri, "deleted_at": stamp(call.sandbox.clock.now())}
    call.sandbox.announce_contact("contact.deleted", contact, gone)


def own_contact(call: EndpointCall, identifier: str) -> StoredContact:
    """Return a contact of the caller's. Raises ApiError: 404, and 403 for somebody else's."""
    contact = call.records.contacts.get(identifier)
    if contact is None:
        raise not_found()
    if contact.owner != call.caller.user.id:
        raise permission_denied(NO_ACCESS)
    return contact


def _set(call: EndpointCall, fields: InputFields, contact: StoredContact) -> None:
    """Set what a body sends, if all of it is right. Raises ApiError: 400, and 409 for an address of another contact."""
    name = fields.text("name")
    emails = _read_emails(fields)
    numbers = _read_numbers(fields)
    details = {one: fields.timezone(one) if one == "timezone" else fields.text(one) for one in DETAILS}
    if details["country"] and not re.fullmatch("[A-Z]{2}", details["country"]):
        fields.refuse("country", "must be an ISO 3166-1 alpha-2 code")
    values = read_values(call, fields)
    fields.check()
    others = [one for one in call.records.contacts.values() if one.owner == contact.owner and one.id != contact.id]
    if any({email.lower() for email in emails} & {email.lower() for email in one.emails} for one in others):
        raise already_exists("The resource already exists")
    contact.name = name or contact.name
    contact.emails = emails or contact.emails
    contact.phone_numbers = numbers if fields.has("phone_numbers") else contact.phone_numbers
    contact.details |= {one: text for one, text in details.items() if text}
    kept = {field: value for field, value in contact.custom_fields.items() if field not in values}
    contact.custom_fields = kept | {field: value for field, value in values.items() if value is not None}


def _read_emails(fields: InputFields) -> tuple[str, ...]:
    """Return the addresses, the primary one first."""
    if not fields.has("emails"):
        return ()
    rows = objects_in(fields.raw("emails")) or []
    read = [(row.get("email"), row.get("is_primary") is True) for row in rows]
    is_good = 1 <= len(rows) <= MOST and sum(primary for _, primary in read) == 1
    if not (is_good and all(isinstance(email, str) and is_email(email) for email, _ in read)):
        fields.refuse("emails", f"must be 1 to {MOST} e-mail addresses, one of them primary")
        return ()
    return tuple(cast("str", email) for email, _ in sorted(read, key=lambda one: not one[1]))


def _read_numbers(fields: InputFields) -> tuple[str, ...]:
    if not fields.has("phone_numbers"):
        return ()
    rows = objects_in(fields.raw("phone_numbers"))
    numbers = [row.get("phone_number") for row in ([{}] if rows is None else rows)]
    if len(numbers) > MOST or not all(isinstance(number, str) and number for number in numbers):
        fields.refuse("phone_numbers", f"must be at most {MOST} phone numbers")
        return ()
    return tuple(cast("list[str]", numbers))


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/contacts", ("contacts:read",), 200, list_contacts),
    SandboxEndpoint("POST", "/contacts", ("contacts:write",), 201, create_contact),
    SandboxEndpoint("GET", "/contacts/{uuid}", ("contacts:read",), 200, get_contact),
    SandboxEndpoint("PATCH", "/contacts/{uuid}", ("contacts:write",), 200, update_contact),
    SandboxEndpoint("DELETE", "/contacts/{uuid}", ("contacts:write",), 204, delete_contact),
)
