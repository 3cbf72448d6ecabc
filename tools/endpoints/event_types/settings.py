"""How event types are set up, and who hosts them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal, Unpack

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, UserId
from tools.bodies import OfferedLocationFields, given
from tools.durations import Duration, Durations, check_durations
from tools.endpoints.event_types.event_types import get_event_type
from tools.fields import Count, EventTypeRef, MaxPages, Name, PageToken, Text, UserRef, at_most
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError, ToolError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import searched

event_type_settings = Toolset("event_type_settings")

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


class EventTypeFields(TypedDict, total=False):
    """What both tools set alike."""

    description: Text | None
    duration: Duration | None
    duration_options: Durations | None
    locations: Locations | None
    color: Color | None
    locale: Locale | None
    start_time_increment: Increment | None
    before_buffer: Buffer | None
    after_buffer: Buffer | None


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
    active: Annotated[bool, Field(description="true: bookable at once; default false")] | None = None,
    **fields: Unpack[EventTypeFields],
) -> models.EventType:
    """Create a one-on-one event type, a kind of meeting people can book. It is off until active.

    Questions, price, booking window and schedule are set at calendly.com; it cannot be deleted, only switched off.
    """
    check_durations(fields.get("duration"), fields.get("duration_options"))
    owned = {"owner": await call.uri(owner or UserId.ME), "active": active, "name": name}
    return await call(models.EventType, body={**given(owned), **_settings(fields)})


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
    **fields: Unpack[EventTypeFields],
) -> models.EventType:
    """Update a one-on-one event type: what is left out stays. Meetings that are booked keep their length and place.

    Questions, price, booking window and schedule are set at calendly.com.
    """
    wanted = {**given({"active": active, "name": name}), **_settings(fields)}
    if not wanted:
        raise ArgumentError.of("event_type", f"Name something to change: {', '.join(WORDS)}.")
    await call.precheck()
    kind = await _kind(call, event_type)
    _check_kind(kind)
    check_durations(fields.get("duration"), fields.get("duration_options") or kind.get("duration_options"))
    return await call(models.EventType, event_type=event_type, body=wanted)


def _settings(fields: EventTypeFields) -> dict[str, Any]:
    """Return settings as Calendly takes them."""
    places = fields.get("locations")
    return given({**fields, "locations": [given(place) for place in places] if places else None})


async def _kind(call: Call, event_type: EventTypeId) -> models.EventType:
    """Return an event type, empty if it cannot be read."""
    if not call.allows(get_event_type):
        return {}
    try:
        return await call.via(get_event_type)(event_type)
    except (CalendlyError, ToolError):
        return {}


def is_shared(kind: models.EventType) -> bool:
    """Return whether the meetings of an event type have several invitees or hosts: it is not a one-on-one."""
    return kind.get("kind") == "group" or kind.get("pooling_type") is not None


def _check_kind(kind: models.EventType) -> None:
    if is_shared(kind) or kind.get("type") == "AdhocEventType":
        raise ArgumentError.of(
            "event_type",
            "Calendly's API changes one-on-one event types only: a person changes this one at calendly.com, under "
            "Event types.",
            "Tell the user to change it at calendly.com, under Event types; do not call again.",
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
