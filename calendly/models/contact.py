"""Contacts: people, their custom fields, the lists they are in, and the notes about them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.personal import PERSONAL


class ContactEmail(TypedDict, total=False):
    """An e-mail address of a contact."""

    email: Annotated[str | None, PERSONAL]
    is_primary: bool | None


class ContactPhoneNumber(TypedDict, total=False):
    """A phone number of a contact."""

    phone_number: Annotated[str | None, PERSONAL]


class ContactCustomField(TypedDict, total=False):
    """What a custom field says of a contact: a text, number, boolean or list of texts, null if it says nothing."""

    uri: Annotated[str | None, Field(description="custom field definition")]
    label: str | None
    value: Annotated[object, PERSONAL]


class Contact(TypedDict, total=False):
    """A contact."""

    uri: str | None
    app_url: Annotated[str | None, Field(description="its page in Calendly, for a person who is signed in")]
    creation_source: str | None
    name: Annotated[str | None, PERSONAL]
    emails: Annotated[list[ContactEmail] | None, PERSONAL]
    phone_numbers: Annotated[list[ContactPhoneNumber] | None, PERSONAL]
    timezone: Annotated[str | None, PERSONAL]  # about where they live, as the next three
    country: Annotated[str | None, PERSONAL]
    state: Annotated[str | None, PERSONAL]
    city: Annotated[str | None, PERSONAL]
    job_title: Annotated[str | None, PERSONAL]
    company: Annotated[str | None, PERSONAL]
    linkedin: Annotated[str | None, PERSONAL]
    custom_fields: Annotated[list[ContactCustomField] | None, PERSONAL]
    created_at: str | None
    updated_at: str | None
    first_email_date: str | None
    last_email_date: str | None
    next_meeting_date: str | None
    last_meeting_date: str | None
    last_interaction_date: str | None


class CustomFieldOption(TypedDict, total=False):
    """One of the values that a field of type single_select can have."""

    uuid: str | None
    label: str | None
    color: str | None
    is_active: bool | None


class CustomFieldSource(TypedDict, total=False):
    """The question of an event type whose answers a field holds."""

    type: Annotated[str | None, Field(description="event_type_invitee_question")]
    event_type_uri: str | None
    question: str | None


class CustomFieldDefinition(TypedDict, total=False):
    """A custom field that contacts have."""

    uri: str | None
    label: str | None
    field_type: Annotated[
        str | None,
        Field(description="text, number, currency, tags, date, single_select, invitee_question or boolean"),
    ]
    options: Annotated[list[CustomFieldOption] | None, Field(description="of single_select, in order")]
    currency: Annotated[str | None, Field(description="ISO code")]
    source: Annotated[CustomFieldSource | None, Field(description="of invitee_question")]
    created_at: str | None
    updated_at: str | None


class ContactList(TypedDict, total=False):
    """A list of contacts that people fill, or a view that follows a filter."""

    uri: str | None
    name: str | None
    type: Annotated[str | None, Field(description="static_list or dynamic_view")]
    contact_count: Annotated[int | None, Field(description="of a list; null for a view")]


class ContactNote(TypedDict, total=False):
    """A note about a contact, which only its author sees."""

    uri: str | None
    contact: str | None
    title: Annotated[str | None, PERSONAL]
    body: Annotated[str | None, PERSONAL]
    remind_at: str | None
    updated_at: str | None
