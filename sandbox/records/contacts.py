"""Contacts, the custom fields they have, the lists they are in, and notes about them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource

FieldType = Literal["text", "number", "currency", "tags", "date", "single_select", "invitee_question", "boolean"]
FieldValue = str | float | bool | list[str]


@dataclass
class StoredContact(StoredResource):
    """A contact of one user.

    Attributes:
        owner: Id of the user.
        emails: The addresses, the primary one first.
        details: The plain fields that are set, by name.
        custom_fields: Values by the id of the custom field; one that is not there is not set.
        last_meeting: The start of the last meeting.
    """

    collection: ClassVar[str] = "contacts"

    owner: str
    name: str
    emails: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    phone_numbers: tuple[str, ...] = ()
    details: dict[str, str] = field(default_factory=dict[str, str])
    custom_fields: dict[str, FieldValue] = field(default_factory=dict[str, FieldValue])
    last_meeting: datetime | None = None


@dataclass(frozen=True)
class StoredFieldOption:
    """One of the values that a field of type single_select can have."""

    id: str
    label: str


@dataclass
class StoredCustomField(StoredResource):
    """A custom field that the contacts of an organization have.

    Attributes:
        options: Of a single_select.
        currency: Of a currency, an ISO code.
    """

    collection: ClassVar[str] = "contacts/custom_field_definitions"

    organization: str
    label: str
    field_type: FieldType
    created_at: datetime
    options: tuple[StoredFieldOption, ...] = ()
    currency: str | None = None


@dataclass
class StoredContactList(StoredResource):
    """A list or a view of one user.

    Attributes:
        members: Ids of the contacts on a list.
        is_default: It is the view of all contacts.
    """

    collection: ClassVar[str] = "contact_lists"

    owner: str
    name: str
    type: Literal["static_list", "dynamic_view"]
    members: list[str] = field(default_factory=list[str])
    is_default: bool = False


@dataclass
class StoredNote(StoredResource):
    """A note of one user about a contact."""

    collection: ClassVar[str] = "notes"

    author: str
    contact: str
    title: str | None
    body: str | None
    remind_at: datetime | None
    updated_at: datetime
