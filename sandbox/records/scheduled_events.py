"""Scheduled events and their invitees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from typing_extensions import override

from sandbox.records.identifiers import PAGES, StoredResource, uri
from sandbox.records.slots import TimeSpan


@dataclass(frozen=True)
class StoredCancellation:
    """A cancellation."""

    canceled_by: str
    reason: str | None
    canceler_type: Literal["host", "invitee"]
    created_at: datetime


@dataclass(frozen=True)
class StoredGuest:
    """A guest whom an invitee added."""

    email: str
    created_at: datetime


@dataclass(frozen=True)
class StoredAnswer:
    """An invitee's answer to a custom question."""

    question: str
    answer: str
    position: int


@dataclass
class StoredInvitee(StoredResource):
    """An invitee.

    Attributes:
        event: Id of the scheduled event.
        listed_at: When lists begin to show the invitee.
        no_show: Id and time of the no-show mark.
        scheduling_method: None for a booking on a page.
        scheduled_by: Id of the user who booked through the API.
        routing_form_submission: URI of what they answered in a routing form before they booked.
    """

    collection: ClassVar[str] = "invitees"

    event: str
    email: str
    name: str
    timezone: str | None
    created_at: datetime
    updated_at: datetime
    listed_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    answers: tuple[StoredAnswer, ...] = ()
    tracking: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    text_reminder_number: str | None = None
    rescheduled: bool = False
    old_invitee: str | None = None
    new_invitee: str | None = None
    no_show: tuple[str, datetime] | None = None
    scheduling_method: Literal["api"] | None = None
    scheduled_by: str | None = None
    routing_form_submission: str | None = None
    cancellation: StoredCancellation | None = None

    @property
    @override
    def uri(self) -> str:
        return uri("scheduled_events", self.event, self.collection, self.id)

    @property
    def cancel_url(self) -> str:
        """The page on which the invitee cancels."""
        return f"{PAGES}/cancellations/{self.id}"

    @property
    def reschedule_url(self) -> str:
        """The page on which the invitee reschedules."""
        return f"{PAGES}/reschedulings/{self.id}"


@dataclass
class StoredScheduledEvent(StoredResource):
    """A scheduled event.

    Attributes:
        hosts: Ids of the users who host it.
        listed_at: When lists begin to show it.
        calendar_event: Id of the entry in the host's calendar.
        refused: How a request for it alone is refused, although lists show it.
    """

    collection: ClassVar[str] = "scheduled_events"

    event_type: str
    organization: str
    hosts: tuple[str, ...]
    name: str | None
    times: TimeSpan
    location: dict[str, object] | None
    invitee_limit: int
    created_at: datetime
    updated_at: datetime
    listed_at: datetime
    before_buffer: int = 0
    after_buffer: int = 0
    calendar_event: str | None = None
    refused: Literal["forbidden", "missing"] | None = None
    guests: list[StoredGuest] = field(default_factory=list[StoredGuest])
    invitees: list[StoredInvitee] = field(default_factory=list[StoredInvitee])
    cancellation: StoredCancellation | None = None

    @property
    def buffered_times(self) -> TimeSpan:
        """The time the hosts keep free for it, buffers included."""
        return TimeSpan(
            self.times.start - timedelta(minutes=self.before_buffer),
            self.times.end + timedelta(minutes=self.after_buffer),
        )

    @property
    def active_invitees(self) -> list[StoredInvitee]:
        """The invitees who have not canceled."""
        return [invitee for invitee in self.invitees if invitee.cancellation is None]
