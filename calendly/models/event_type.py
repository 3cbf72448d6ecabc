"""Event types."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.location_kinds import KINDS, listed
from calendly.models.user import User


class CustomQuestion(TypedDict, total=False):
    """A question asked when booking."""

    name: Annotated[str | None, Field(description="the question's text, to be repeated exactly when booking")]
    type: Annotated[str | None, Field(description="string, text, phone_number, single_select or multi_select")]
    position: Annotated[int | None, Field(description="from 0")]
    enabled: bool | None
    required: bool | None
    answer_choices: list[str] | None
    include_other: bool | None


class EventTypeLocation(TypedDict, total=False):
    """A place where meetings of the type can happen."""

    kind: Annotated[str | None, Field(description=listed(KINDS))]
    location: Annotated[str | None, Field(description="address or text")]
    additional_info: str | None
    phone_number: str | None


class Profile(TypedDict, total=False):
    """Whose event type it is."""

    type: Annotated[str | None, Field(description="User or Team")]
    name: str | None
    owner: Annotated[str | None, Field(description="user or team URI")]


class EventType(TypedDict, total=False):
    """An event type."""

    uri: str | None
    name: str | None
    active: bool | None
    admin_managed: bool | None
    booking_method: Annotated[str | None, Field(description="instant or poll")]
    color: str | None
    created_at: str | None
    updated_at: str | None
    custom_questions: list[CustomQuestion] | None
    deleted_at: str | None
    description_html: str | None
    description_plain: str | None
    duration: Annotated[float | None, Field(description="minutes")]
    duration_options: list[int] | None
    internal_note: str | None
    is_paid: bool | None
    kind: Annotated[str | None, Field(description="solo or group")]
    locale: Annotated[str | None, Field(description="en, fr, es, de, nl, pt, it or uk")]
    locations: list[EventTypeLocation] | None
    pooling_type: Annotated[str | None, Field(description="round_robin, collective or multi_pool")]
    position: int | None
    profile: Profile | None
    scheduling_url: Annotated[str | None, Field(description="public booking page")]
    secret: Annotated[bool | None, Field(description="hidden from the public page")]
    slug: str | None
    type: Annotated[str | None, Field(description="StandardEventType or AdhocEventType (one-off)")]
    start_time_increment: Annotated[int | None, Field(description="minutes")]
    before_buffer: Annotated[int | None, Field(description="minutes")]
    after_buffer: Annotated[int | None, Field(description="minutes")]


class EventTypeMembership(TypedDict, total=False):
    """A host of an event type."""

    uri: str | None
    event_type: EventType | None
    member: User | None
    updated_at: str | None
    created_at: str | None
