"""Notes about contacts. Only their author sees them."""

import re
from typing import Final

from sandbox.endpoints.contacts.contacts import own_contact
from sandbox.endpoints.endpoint import EndpointCall, SandboxEndpoint
from sandbox.endpoints.paging import read_page
from sandbox.errors import ApiError, not_found, permission_denied
from sandbox.records.as_json import JsonObject
from sandbox.records.contacts import StoredContact, StoredNote
from sandbox.records.contacts_as_json import note_json
from sandbox.records.identifiers import id_of, new_id
from sandbox.requests.fields import InputFields
from sandbox.requests.permissions import NO_ACCESS, NO_PERMISSION

LONGEST_TITLE: Final = 255
LONGEST_BODY: Final = 10_000
MOST_CONTACTS: Final = 10
KNOWN: Final = frozenset({"contact", "count", "page_token"})
REMINDER: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)")


def list_notes(call: EndpointCall) -> JsonObject:
    """List the caller's notes about up to ten contacts, the last change first. Unlike elsewhere no query is ignored."""
    fields = call.query_fields()
    uris = fields.text("contact", required=True).split(",")
    contacts = [id_of(one.strip(), "contacts") for one in uris if one]
    if not all(contacts) or len(contacts) > MOST_CONTACTS:
        fields.refuse("contact", f"must be 1 to {MOST_CONTACTS} URIs of contacts")
    page = read_page(fields, call.url_path, call.query)
    for name in set(fields.names()) - KNOWN:
        fields.refuse(name, "is not permitted")
    fields.check()
    about = {_accessible(call, one or "").id for one in contacts}
    rows = [one for one in call.records.notes.values() if one.author == call.caller.user.id and one.contact in about]
    return page.answer(sorted(rows, key=lambda note: note.updated_at, reverse=True), note_json)


def create_note(call: EndpointCall) -> JsonObject:
    """Create a note. The Free plan stands for accounts without reminders: which those are is not known."""
    fields = call.body_fields()
    contact_id = fields.reference("contact", "contacts", required=True)
    title = _read_text(fields, "title", LONGEST_TITLE)
    body = _read_text(fields, "body", LONGEST_BODY)
    remind_at = fields.time("remind_at")
    if remind_at is not None and not REMINDER.fullmatch(fields.text("remind_at")):
        fields.refuse("remind_at", "must be an ISO 8601 time with seconds and an offset")
    if title is None and body is None:
        fields.refuse("body", "title or body must be filled")
    fields.check()
    contact = _accessible(call, contact_id)
    if remind_at is not None and call.caller.organization.plan == "free":
        raise permission_denied(NO_PERMISSION)
    now = call.sandbox.clock.now()
    note = StoredNote(new_id(), call.caller.user.id, contact.id, title, body, remind_at, now)
    call.records.notes[note.id] = note
    return {"resource": note_json(note)}


def get_note(call: EndpointCall) -> JsonObject:
    """Return one note. Somebody else's is as one that is not there."""
    note = call.records.notes.get(call.path["uuid"])
    if note is None or note.author != call.caller.user.id:
        raise not_found()
    return {"resource": note_json(note)}


def _read_text(fields: InputFields, name: str, most: int) -> str | None:
    """Return a text without spaces around it, None where nothing is left."""
    text = fields.text(name).strip()
    if len(text.encode("utf-16-le")) // 2 > most:
        fields.refuse(name, f"is too long (maximum is {most} characters)")
    return text or None


def _accessible(call: EndpointCall, identifier: str) -> StoredContact:
    """Return a contact of the caller's. Raises ApiError: 403 for any other."""
    try:
        return own_contact(call, identifier)
    except ApiError:
        raise permission_denied(NO_ACCESS) from None


ENDPOINTS: Final = (
    SandboxEndpoint("GET", "/notes", ("contacts:read",), 200, list_notes),
    SandboxEndpoint("POST", "/notes", ("contacts:write",), 201, create_note),
    SandboxEndpoint("GET", "/notes/{uuid}", ("contacts:read",), 200, get_note),
)
