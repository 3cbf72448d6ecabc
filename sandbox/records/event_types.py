"""Event types and single-use scheduling links."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource
from sandbox.records.slots import TimeSpan, WorkingHours

Pooling = Literal["round_robin", "collective"]


@dataclass(frozen=True)
class StoredQuestion:
    """A custom question of an event type.

    Attributes:
        name: The text of the question.
    """

    name: str
    type: Literal["string", "text", "phone_number", "single_select", "multi_select"]
    required: bool = False
    answer_choices: tuple[str, ...] = ()
    include_other: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class DateLimits:
    """When a one-off event type can be booked: within a range of dates, or within single spots.

    Attributes:
        timezone: IANA name of the zone of the dates.
        first: The first date.
        last: The last date.
        only_weekdays: Whether weekends are left out.
        spots: The spots; empty where the dates count.
    """

    timezone: str
    first: date
    last: date
    only_weekdays: bool = False
    spots: tuple[TimeSpan, ...] = ()


@dataclass
class StoredEventType(StoredResource):
    """An event type. Durations are in minutes.

    Attributes:
        owner: Id of the user who owns it.
        hosts: Ids of the users who host its meetings.
        invitee_limit: The most invitees of one meeting.
        schedule: Id of its availability schedule; None is the default schedule of each host.
        own_hours: The hours of a host, by id, that belong to this type alone.
        increment: Time between two possible starts.
        date_limits: When it can be booked, for a one-off event type.
    """

    collection: ClassVar[str] = "event_types"

    owner: str
    hosts: tuple[str, ...]
    organization: str
    name: str | None
    slug: str | None
    scheduling_url: str
    duration: float
    created_at: datetime
    updated_at: datetime
    position: int = 0
    kind: Literal["solo", "group"] = "solo"
    invitee_limit: int = 1
    pooling_type: Pooling | None = None
    locations: tuple[Mapping[str, str], ...] = ()
    questions: tuple[StoredQuestion, ...] = ()
    active: bool = True
    admin_managed: bool = False
    secret: bool = False
    description: str | None = None
    internal_note: str | None = None
    color: str = "#8247f5"
    schedule: str | None = None
    own_hours: Mapping[str, WorkingHours] = field(default_factory=dict[str, WorkingHours])
    increment: int | None = 30
    before_buffer: int = 0
    after_buffer: int = 0
    duration_options: tuple[int, ...] | None = None
    locale: str = "en"
    date_limits: DateLimits | None = None
    deleted_at: datetime | None = None


@dataclass
class StoredSchedulingLink:
    """A single-use scheduling link.

    Attributes:
        booking_url: The page.
        event_type: Id of the event type.
        created_at: When it was created.
        used: Whether it was booked.
    """

    booking_url: str
    event_type: str
    created_at: datetime
    used: bool = False
