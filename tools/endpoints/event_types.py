"""Event types: the kinds of meeting that people can book, and how they are set up."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, Field

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, UserId
from tools.bodies import OfferedLocationFields, given
from tools.durations import Duration, Durations, check_durations
from tools.fields import (
    Count,
    EventTypeRef,
    MaxPages,
    Name,
    OrganizationRef,
    PageToken,
    ScheduleRef,
    Text,
    UserRef,
    at_most,
)
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError, ToolError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import nothing_matches, only_yours, searched, whose

event_types = Toolset()
event_type_settings = Toolset("event_type_settings")

_ORDER: Final = re.compile(r"(name|position|created_at|updated_at):(asc|desc)")
_LONGEST_ORDER: Final = 200
_COLOR: Final = re.compile(r"#[0-9a-f]{6}")
_BUFFERS: Final = (0, 5, 10, 15, 30, 45, 60, 90, 120, 150, 180)

WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "active": "Can be booked",
        "name": "Name",
        "description": "Description",
        "duration": "Minutes",
        "duration_options": "Minutes to choose from",
        "locations": "Places",
        "color": "Color",
        "locale": "Language",
        "start_time_increment": "Minutes between starts",
        "before_buffer": "Minutes kept free before",
        "after_buffer": "Minutes kept free after",
    }
)
"""What can be set, as a person is told of it."""

_READ_AS: Final = {"description": "description_plain"}


def _sort(text: str) -> str:
    text = text.strip()
    if len(text) > _LONGEST_ORDER or not all(_ORDER.fullmatch(part) for part in text.split(",")):
        raise ValueError("Expected name, position, created_at or updated_at with :asc or :desc, comma-separated.")
    return text


Sort = Annotated[
    str,
    AfterValidator(_sort),
    Field(description="name, position, created_at, updated_at with :asc/:desc, comma-separated"),
]


@event_types.tool(
    "GET",
    "/event_types",
    title="List event types",
    scope="event_types:read",
    capability="event_types",
    audit=Sentence("list", lambda call: f"the event types of {call.owner()}"),
    presets=("scheduling",),
    is_cacheable=True,
)
async def list_event_types(
    call: Call,
    user: UserRef | None = None,
    organization: OrganizationRef | None = None,
    active: bool | None = None,
    admin_managed: bool | None = None,
    user_availability_schedule: Annotated[ScheduleRef, Field(description="only with user")] | None = None,
    sort: Sort = "name:asc",
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.EventType]:
    """List event types, the kinds of meeting people can book; by default yours.

    Next: list_event_type_available_times.
    """
    if user is None and organization is None:
        user = UserId.ME
    if user_availability_schedule and not user:
        raise ArgumentError.of("user_availability_schedule", "Works only together with user.")
    filters = {
        "active": active,
        "admin_managed": admin_managed,
        "user_availability_schedule": await call.uri(user_availability_schedule),
    }
    query = {
        "user": await call.uri(user),
        "organization": await call.uri(organization),
        **filters,
        "sort": sort,
    }
    page = await call.pages(models.EventType, query=query, count=count, page_token=page_token, max_pages=max_pages)
    status = None if active is None else "active" if active else "inactive"
    looked = searched(whose(user, organization), status=status)
    beyond = None if organization else only_yours(user, "user or organization")
    return page_of(page, looked, nothing_matches(filters, page_token, beyond=beyond))


@event_types.tool(
    "GET",
    "/event_types/{event_type}",
    title="Get event type",
    scope="event_types:read",
    capability="event_types",
    audit=Sentence("read", "the event type {event_type}"),
    presets=("scheduling",),
    is_cacheable=True,
    in_parts=True,
)
async def get_event_type(call: Call, event_type: EventTypeRef) -> models.EventType:
    """Look up an event type: duration, locations, questions to answer when booking."""
    return await call(models.EventType, event_type=event_type)


def _color(text: str) -> str:
    lower = text.strip().lower()
    if not _COLOR.fullmatch(lower):
        raise ValueError("Expected a color such as #8247f5.")
    return lower


def _buffer(minutes: int) -> int:
    if minutes not in _BUFFERS:
        raise ValueError(f"Must be one of {', '.join(map(str, _BUFFERS))}.")
    return minutes


Buffer = Annotated[int, Field(description="minutes: 0 to 180"), AfterValidator(_buffer)]
Increment = Annotated[int, Field(ge=5, le=720, description="minutes between starts")]
Color = Annotated[str, AfterValidator(_color), Field(description="such as #8247f5")]
Locale = Literal["de", "en", "es", "fr", "it", "nl", "pt", "uk"]
Locations = Annotated[list[OfferedLocationFields], Field(min_length=1), at_most(20)]


@event_type_settings.tool(
    "POST",
    "/event_types",
    title="Create event type",
    scope="event_types:write",
    capability="event_types",
    audit=Sentence("create", lambda call: f"an event type{call.given('duration', ' of {} minutes')}"),
    webhook_event="event_type.created",
)
async def create_event_type(
    call: Call,
    name: Name,
    owner: Annotated[UserRef, Field(description="default: you")] | None = None,
    duration: Duration | None = None,
    duration_options: Durations | None = None,
    active: Annotated[bool, Field(description="true: bookable at once; default false")] | None = None,
    description: Text | None = None,
    locations: Locations | None = None,
    color: Color | None = None,
    locale: Locale | None = None,
    start_time_increment: Increment | None = None,
    before_buffer: Buffer | None = None,
    after_buffer: Buffer | None = None,
) -> models.EventType:
    """Create a one-on-one event type, a kind of meeting people can book. It is off until active.

    Questions, price, booking window and schedule are set at calendly.com; it cannot be deleted, only switched off.
    """
    check_durations(duration, duration_options)
    body: dict[str, Any] = {
        "owner": await call.uri(owner or UserId.ME),
        "active": active,
        "name": name,
        "description": description,
        "duration": duration,
        "duration_options": duration_options,
        "locations": [given(place) for place in locations] if locations else None,
        "color": color,
        "locale": locale,
        "start_time_increment": start_time_increment,
        "before_buffer": before_buffer,
        "after_buffer": after_buffer,
    }
    return await call(models.EventType, body=given(body))


@event_type_settings.tool(
    "PATCH",
    "/event_types/{event_type}",
    title="Update event type",
    scope="event_types:write",
    capability="event_types",
    audit=Sentence("change", "the event type {event_type}"),
    webhook_event="event_type.updated",
)
async def update_event_type(
    call: Call,
    event_type: EventTypeRef,
    active: Annotated[bool, Field(description="false switches it off")] | None = None,
    name: Name | None = None,
    description: Text | None = None,
    duration: Duration | None = None,
    duration_options: Durations | None = None,
    locations: Locations | None = None,
    color: Color | None = None,
    locale: Locale | None = None,
    start_time_increment: Increment | None = None,
    before_buffer: Buffer | None = None,
    after_buffer: Buffer | None = None,
) -> models.EventType:
    """Update a one-on-one event type: what is left out stays. Meetings that are booked keep their length and place.

    Questions, price, booking window and schedule are set at calendly.com.
    """
    wanted = given(
        {
            "active": active,
            "name": name,
            "description": description,
            "duration": duration,
            "duration_options": duration_options,
            "locations": [given(place) for place in locations] if locations else None,
            "color": color,
            "locale": locale,
            "start_time_increment": start_time_increment,
            "before_buffer": before_buffer,
            "after_buffer": after_buffer,
        }
    )
    if not wanted:
        raise ArgumentError.of("event_type", f"Name something to change: {', '.join(WORDS)}.")
    await call.precheck()
    kind = await _kind(call, event_type)
    _check_kind(kind)
    check_durations(duration, duration_options or kind.get("duration_options"))
    return await call(models.EventType, event_type=event_type, body=wanted)


async def _kind(call: Call, event_type: EventTypeId) -> models.EventType:
    """Return an event type, empty if it cannot be read."""
    if not call.allows(get_event_type):
        return {}
    try:
        return await call.via(get_event_type)(event_type)
    except (CalendlyError, ToolError):
        return {}


def _check_kind(kind: models.EventType) -> None:
    is_shared = kind.get("kind") == "group" or kind.get("pooling_type") is not None
    if is_shared or kind.get("type") == "AdhocEventType":
        page = kind.get("scheduling_url") or "calendly.com"
        raise ArgumentError.of(
            "event_type", f"Calendly's API changes one-on-one event types only: a person changes this one at {page}."
        )


@event_type_settings.tool(
    "GET",
    "/event_type_memberships",
    title="List event type hosts",
    scope="event_types:read",
    capability="event_types",
    audit=Sentence("list", "the hosts of the event type {event_type}"),
)
async def list_event_type_hosts(
    call: Call,
    event_type: EventTypeRef,
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.EventTypeMembership]:
    """List who hosts the meetings of an event type."""
    page = await call.pages(
        models.EventTypeMembership,
        query={"event_type": event_type.uri},
        count=count,
        page_token=page_token,
        max_pages=max_pages,
    )
    return page_of(page, searched(f"the event type {event_type}"), "Calendly names no host of it.")


def value_of(kind: models.EventType, name: str) -> object:
    """Return what an event type has now for a parameter."""
    return kind.get(_READ_AS.get(name, name))
