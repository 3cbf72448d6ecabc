"""Available times, busy times and availability schedules."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class AvailableTime(TypedDict, total=False):
    """An open slot."""

    status: Annotated[str | None, Field(description="available")]
    invitees_remaining: Annotated[float | None, Field(description="above 1 only for group event types")]
    start_time: str | None
    scheduling_url: Annotated[str | None, Field(description="booking page opened at this slot")]


class UserMeetingLocation(TypedDict, total=False):
    """A kind of place at which a person can hold meetings."""

    kind: str | None
    connected: Annotated[bool | None, Field(description="web conferences only")]


class BusyEvent(TypedDict, total=False):
    """The scheduled event that makes a time busy."""

    uri: str | None


class BusyTime(TypedDict, total=False):
    """A time when the user cannot be booked."""

    type: Annotated[str | None, Field(description="calendly, reserved or external")]
    start_time: str | None
    end_time: str | None
    buffered_start_time: str | None
    buffered_end_time: str | None
    event: BusyEvent | None


# `from` is a keyword, so the fields are written as a dictionary.
Interval = TypedDict("Interval", {"from": str | None, "to": str | None}, total=False)
"""Working hours of one day, as local wall-clock times such as 09:00."""


class Rule(TypedDict, total=False):
    """The hours of a weekday, or of one date, which overrides the weekday."""

    type: Annotated[str | None, Field(description="wday or date")]
    intervals: Annotated[list[Interval] | None, Field(description="local 24 h times; empty: closed")]
    wday: Annotated[str | None, Field(description="sunday to saturday")]
    date: str | None


class AvailabilityRule(TypedDict, total=False):
    """The hours of one event type, in a zone of their own."""

    timezone: str | None
    uri: Annotated[str | None, Field(description="the schedule that it refers to, if any")]
    name: str | None
    user: str | None
    rules: list[Rule] | None


class EventTypeAvailabilitySchedule(TypedDict, total=False):
    """The hours at which one event type can be booked."""

    event_type: str | None
    availability_setting: Annotated[str | None, Field(description="host")]
    availability_rule: AvailabilityRule | None


class MeetingLimits(TypedDict, total=False):
    """How many meetings a person hosts at most, over all event types; null is no limit."""

    daily_limit: int | None
    weekly_limit: int | None
    monthly_limit: int | None


class AvailabilitySchedule(TypedDict, total=False):
    """A user's working hours."""

    uri: str | None
    default: bool | None
    name: str | None
    user: str | None
    timezone: str | None
    rules: list[Rule] | None
