"""Single-use scheduling links, and shares: such links with settings of their own."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.availability import Rule
from calendly.models.event_type import EventTypeLocation


class SchedulingLink(TypedDict, total=False):
    """A single-use scheduling link."""

    booking_url: Annotated[str | None, Field(description="the link to hand out")]
    owner: Annotated[str | None, Field(description="event type URI")]
    owner_type: Annotated[str | None, Field(description="EventType")]


class ShareLocation(EventTypeLocation, total=False):
    """A place where the meeting of a share can happen."""

    position: int | None


class ShareHours(TypedDict, total=False):
    """When a share can be booked."""

    timezone: str | None
    rules: list[Rule] | None


class ShareSettings(TypedDict, total=False):
    """The settings in force for a share: its own, else those of the event type."""

    name: str | None
    duration: Annotated[int | None, Field(description="minutes")]
    duration_options: list[int] | None
    period_type: Annotated[str | None, Field(description="available_moving, moving, fixed or unlimited")]
    start_date: str | None
    end_date: str | None
    max_booking_time: Annotated[int | None, Field(description="days ahead")]
    min_booking_time: int | None
    hide_location: bool | None
    location_configurations: list[ShareLocation] | None
    availability_rule: ShareHours | None


class Share(TypedDict, total=False):
    """A single-use link with settings of its own."""

    uri: str | None
    status: Annotated[str | None, Field(description="active, booked or expired")]
    contact: Annotated[str | None, Field(description="contact URI")]
    created_at: str | None
    scheduling_links: list[SchedulingLink] | None
    share_override: ShareSettings | None
