"""Contacts and what belongs to them as Calendly's JSON."""

from sandbox.records.as_json import JsonObject, stamp
from sandbox.records.contacts import StoredContact, StoredContactList, StoredCustomField, StoredNote
from sandbox.records.identifiers import PAGES, uri
from sandbox.records.records import Records

DETAILS = ("timezone", "job_title", "company", "country", "state", "city", "linkedin")


def contact_json(records: Records, contact: StoredContact, *, with_fields: bool = True) -> JsonObject:
    """Return a contact, with every custom field there is unless those are left out."""
    met = contact.last_meeting and stamp(contact.last_meeting)
    organization = records.users[contact.owner].organization
    fields = [one for one in records.custom_fields.values() if one.organization == organization]
    return {
        "uri": contact.uri,
        "app_url": f"{PAGES}/app/contacts/{contact.id}",
        "name": contact.name,
        "emails": [{"email": email, "is_primary": not place} for place, email in enumerate(contact.emails)],
        "phone_numbers": [{"phone_number": number} for number in contact.phone_numbers],
        **{name: contact.details.get(name) for name in DETAILS},
        **({"custom_fields": [_field_of(contact, one) for one in fields]} if with_fields else {}),
        "created_at": stamp(contact.created_at),
        "updated_at": stamp(contact.updated_at),
        "first_email_date": None,
        "last_email_date": None,
        "next_meeting_date": None,
        "last_meeting_date": met,
        "last_interaction_date": met,
    }


def _field_of(contact: StoredContact, definition: StoredCustomField) -> JsonObject:
    value = contact.custom_fields.get(definition.id)
    is_list = definition.field_type == "tags"
    return {"uri": definition.uri, "label": definition.label, "value": value or [] if is_list else value}


def custom_field_json(definition: StoredCustomField) -> JsonObject:
    """Return the definition of a custom field."""
    options = [
        {"uuid": option.id, "label": option.label, "color": None, "is_active": True} for option in definition.options
    ]
    return {
        "uri": definition.uri,
        "label": definition.label,
        "field_type": definition.field_type,
        **({"options": options} if definition.field_type == "single_select" else {}),
        **({"currency": definition.currency} if definition.currency else {}),
        "created_at": stamp(definition.created_at),
        "updated_at": stamp(definition.created_at),
    }


def contact_list_json(listed: StoredContactList) -> JsonObject:
    """Return a list or view. A view has no number of contacts."""
    return {
        "uri": listed.uri,
        "name": listed.name,
        "type": listed.type,
        "contact_count": len(listed.members) if listed.type == "static_list" else None,
    }


def note_json(note: StoredNote) -> JsonObject:
    """Return a note."""
    return {
        "uri": note.uri,
        "contact": uri("contacts", note.contact),
        "title": note.title,
        "body": note.body,
        "remind_at": note.remind_at and stamp(note.remind_at),
        "updated_at": stamp(note.updated_at),
    }
