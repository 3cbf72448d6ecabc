"""What can be booked: event types, and links that serve one booking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource
from sandbox.records.slots import TimeSpan

Pooling = Literal["round_robin", "collective"]


@dataclass(frozen=True)
class StoredQuestion:
    """A question of a booking form; `name` is its text."""

    name: str
    type: Literal["string", "text", "phone_number", "single_select", "multi_select"]
    required: bool = False
    answer_choices: tuple[str, ...] = ()
    include_other: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class DateLimits:
    """The days, or the spots, in which a one-off type can be booked. `spots` empty means by days."""

    timezone: str
    first: date
    last: date
    only_weekdays: bool = False
    spots: tuple[TimeSpan, ...] = ()


@dataclass
class StoredEventType(StoredResource):
    """A kind of meeting. Lengths are minutes; `schedule` None means the default schedule of each host."""

    collection: ClassVar[str] = "event_types"

    owner: str
    hosts: tuple[str, ...]
    organization: str
    name: str
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
    increment: int | None = 30
    before_buffer: int = 0
    after_buffer: int = 0
    date_limits: DateLimits | None = None
    deleted_at: datetime | None = None


@dataclass
class StoredSchedulingLink:
    """A page that takes one booking."""

    booking_url: str
    event_type: str
    created_at: datetime
    used: bool = False
