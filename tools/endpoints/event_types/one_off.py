"""One-off event types: meetings that people can book on certain days only."""

from datetime import date
from typing import Annotated, Final, Literal, NotRequired

from pydantic import AfterValidator, Field, with_config
from typing_extensions import TypedDict

from calendly import models
from calendly.identifiers import UserId
from tools.bodies import CLOSED, OfferedLocationFields, Variants, given
from tools.fields import Date, Minutes, Name, Time, TimeZone, UserRef, at_most
from tools.times import instant, today_in, wire, zone_for
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError

one_off_event_types = Toolset()

_MOST_DAYS: Final = 365
_PAST: Final = "Is past: nobody could book."


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


@one_off_event_types.tool(
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
    host: Annotated[UserRef, Field(description="default: you")] | None = None,
    co_hosts: Annotated[list[UserRef], Field(max_length=9)] | None = None,
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
    end_date = setting.get("end_date")
    zone = await zone_for(call.caller, timezone) if end_date else None
    if end_date and zone and date.fromisoformat(end_date) < today_in(zone, call.caller):
        raise ArgumentError.of("date_setting.end_date", _PAST)
    windows: list[dict[str, str]] = []
    for number, spot in enumerate(setting.get("spots") or []):
        place = f"date_setting.spots.{number}"
        start = await instant(call.caller, f"{place}.start_time", spot["start_time"], timezone=timezone)
        end = await instant(call.caller, f"{place}.end_time", spot["end_time"], timezone=timezone)
        if end <= start:
            raise ArgumentError.of(f"{place}.end_time", "Must be after start_time.")
        if end <= call.caller.now():
            raise ArgumentError.of(f"{place}.end_time", _PAST)
        windows.append({"start_time": wire(start), "end_time": wire(end)})
    return given({**setting, "spots": windows or None})
