"""Event types: the kinds of meeting that people can book."""

import re
from datetime import date
from typing import Annotated, Final, Literal, NotRequired

from pydantic import AfterValidator, Field, with_config
from typing_extensions import TypedDict

from calendly import models
from calendly.identifiers import UserId
from calendly.models.location_kinds import LocationKind
from tools.fields import (
    CLOSED,
    Count,
    Date,
    EventTypeRef,
    Line,
    MaxPages,
    Minutes,
    Name,
    OrganizationRef,
    PageToken,
    ScheduleRef,
    Text,
    Time,
    TimeZone,
    UserRef,
    UserRefById,
    Variants,
    at_most,
    given,
)
from tools.times import instant, wire
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import nothing_matches, searched, whose

event_types = Toolset()

_ORDER: Final = re.compile(r"(name|position|created_at|updated_at):(asc|desc)")
_LONGEST_ORDER: Final = 200
_MOST_DAYS: Final = 365


def _sort(text: str) -> str:
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
    return page_of(page, looked, nothing_matches(filters, page_token))


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


@with_config(CLOSED)
class Spot(TypedDict):
    """A bookable window."""

    start_time: Time
    end_time: Time


@with_config(CLOSED)
class DateSettingFields(TypedDict):
    """When the type can be booked."""

    type: Literal["date_range", "days_in_future", "spots"]
    start_date: NotRequired[Date | None]
    end_date: NotRequired[Date | None]
    days: NotRequired[Annotated[int, Field(ge=0, le=_MOST_DAYS)] | None]
    only_weekdays: NotRequired[bool | None]
    spots: NotRequired[Annotated[list[Spot], Field(min_length=1), at_most(1_000)] | None]


@with_config(CLOSED)
class OfferedLocationFields(TypedDict):
    """Where meetings of the type happen."""

    kind: LocationKind
    location: NotRequired[Text | None]
    additional_info: NotRequired[Text | None]
    phone_number: NotRequired[Line | None]


def _in_order(setting: DateSettingFields) -> DateSettingFields:
    start, end = setting.get("start_date"), setting.get("end_date")
    if start and end:
        days = (date.fromisoformat(end) - date.fromisoformat(start)).days
        if not 0 < days < _MOST_DAYS:
            raise ValueError(f"end_date must be after start_date, by less than {_MOST_DAYS} days.")
    return setting


DateSetting = Annotated[
    DateSettingFields,
    AfterValidator(
        Variants(
            "type",
            {
                "date_range": ({"start_date", "end_date"}, ()),
                "days_in_future": ({"days", "only_weekdays"}, ()),
                "spots": ({"spots"}, ()),
            },
        )
    ),
    AfterValidator(_in_order),
]

OfferedLocation = Annotated[
    OfferedLocationFields,
    AfterValidator(
        Variants(
            "kind",
            {
                "physical": ((), {"location", "additional_info"}),
                "inbound_call": ({"phone_number"}, {"additional_info"}),
                "custom": ((), {"location"}),
            },
        )
    ),
]


@event_types.tool(
    "POST",
    "/one_off_event_types",
    title="Create one-off event type",
    scope="event_types:write",
    capability="event_types",
    audit=Sentence(
        "create", lambda call: f"a one-off event type of {call.person('host')}{call.given('duration', ', {} minutes')}"
    ),
)
async def create_one_off_event_type(
    call: Call,
    name: Name,
    duration: Minutes,
    date_setting: DateSetting,
    host: Annotated[UserRefById, Field(description="default: you")] | None = None,
    co_hosts: Annotated[list[UserRefById], Field(max_length=9)] | None = None,
    timezone: TimeZone | None = None,
    location: OfferedLocation | None = None,
) -> models.EventType:
    """Create a one-off event type: a meeting people can book on certain days only.

    Share its scheduling_url; nobody is e-mailed. days_in_future needs only_weekdays too, inbound_call phone_number.
    """
    body = {
        "name": name,
        "host": await call.uri(host or UserId.ME),
        "co_hosts": [await call.uri(co_host) for co_host in co_hosts] if co_hosts else None,
        "duration": duration,
        "timezone": timezone,
        "date_setting": await _sent(call, date_setting, timezone),
        "location": given(location) if location else None,
    }
    return await call(models.EventType, body=given(body))


async def _sent(call: Call, setting: DateSettingFields, timezone: str | None) -> dict[str, object]:
    """Return the setting for Calendly. Spots without an offset are in the event type's zone, else in the caller's."""
    windows: list[dict[str, str]] = []
    for number, spot in enumerate(setting.get("spots") or []):
        place = f"date_setting.spots.{number}"
        start = await instant(call.caller, f"{place}.start_time", spot["start_time"], timezone=timezone)
        end = await instant(call.caller, f"{place}.end_time", spot["end_time"], timezone=timezone)
        if end <= start:
            raise ArgumentError.of(f"{place}.end_time", "Must be after start_time.")
        windows.append({"start_time": wire(start), "end_time": wire(end)})
    return given({**setting, "spots": windows or None})
