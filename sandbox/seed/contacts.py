"""The contacts of the seeded account, with custom fields, lists and notes."""

from datetime import datetime, timedelta
from typing import Final

from sandbox.records.contacts import (
    FieldType,
    FieldValue,
    StoredContact,
    StoredContactList,
    StoredCustomField,
    StoredFieldOption,
    StoredNote,
)
from sandbox.records.identifiers import fixed_id
from sandbox.records.people import StoredUser
from sandbox.records.records import Records
from sandbox.seed.events import INSTRUCTING_ANSWER, seeded_person

PEOPLE: Final = 4
SEGMENTS: Final = ("Small business", "Mid-market", "Enterprise")

_FIELDS: Final[tuple[tuple[str, FieldType], ...]] = (
    ("Deal size", "currency"),
    ("Segment", "single_select"),
    ("Renewal", "date"),
    ("Interests", "tags"),
    ("Background", "text"),
    ("Seats", "number"),
    ("Newsletter", "boolean"),
)


def add_contacts(records: Records, now: datetime) -> None:
    """Add the owner's contacts, and one of the admin's."""
    maya, tomas = (
        next(one for one in records.users.values() if one.slug == slug) for slug in ("maya-lindqvist", "tomas-herrera")
    )
    _add_fields(records, maya, now)
    lee = _add(records, now, maya, "Lee Park", "lee@acme.example", "lee.park@home.example")
    lee.phone_numbers = ("+14155551234",)
    lee.details |= {"timezone": "America/New_York", "job_title": "Head of Sales", "company": "Acme", "country": "US"}
    _set(lee, "Deal size", 85000)
    _set(lee, "Segment", "Mid-market")
    _set(lee, "Interests", ["pricing", "onboarding"])
    for number in range(PEOPLE):
        person = seeded_person(number)
        contact = _add(records, now - timedelta(days=number + 1), maya, person.name, person.email)
        contact.details |= {"timezone": person.timezone or "", "company": "Acme"}
        contact.last_meeting = now - timedelta(days=number + 2)
        _set(contact, "Background", INSTRUCTING_ANSWER if number == PEOPLE - 1 else "Met at the fair")
    _add(records, now, maya, "Sam Lee", "sam@lumen.example").details["company"] = "Lumen"
    _add(records, now, tomas, "Kim Soto", "kim@soto.example")
    _add_lists(records, maya, lee)
    for number, (title, body) in enumerate((("Renewal", "Wants a two-year term."), (None, "Prefers mornings."))):
        note = StoredNote(
            fixed_id(f"note lee {number}"), maya.id, lee.id, title, body, None, now - timedelta(days=number + 1)
        )
        records.notes[note.id] = note
    reminder = StoredNote(
        fixed_id("note soto"), tomas.id, fixed_id("contact kim@soto.example"), "Call back", None, None, now
    )
    records.notes[reminder.id] = reminder


def _add_fields(records: Records, maya: StoredUser, now: datetime) -> None:
    for label, kind in _FIELDS:
        options = [StoredFieldOption(fixed_id(f"option {option}"), option) for option in SEGMENTS]
        definition = StoredCustomField(
            _field_id(label),
            maya.organization,
            label,
            kind,
            now - timedelta(days=300),
            tuple(options) if kind == "single_select" else (),
            "USD" if kind == "currency" else None,
        )
        records.custom_fields[definition.id] = definition


def _add_lists(records: Records, maya: StoredUser, lee: StoredContact) -> None:
    everybody = fixed_id("contact view all")
    records.contact_lists[everybody] = StoredContactList(
        everybody, maya.id, "All contacts", "dynamic_view", is_default=True
    )
    renewals = fixed_id("contact list renewals")
    members = [lee.id, fixed_id(f"contact {seeded_person(0).email}")]
    records.contact_lists[renewals] = StoredContactList(renewals, maya.id, "Renewals Q1", "static_list", members)


def _add(records: Records, now: datetime, owner: StoredUser, name: str, *emails: str) -> StoredContact:
    made = now - timedelta(days=60)
    contact = StoredContact(fixed_id(f"contact {emails[0]}"), owner.id, name, emails, made, made)
    records.contacts[contact.id] = contact
    return contact


def _set(contact: StoredContact, label: str, value: FieldValue) -> None:
    contact.custom_fields[_field_id(label)] = value


def _field_id(label: str) -> str:
    return fixed_id(f"custom field {label}")
