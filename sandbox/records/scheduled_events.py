"""What has been booked: scheduled events and their invitees."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Literal

from typing_extensions import override

from sandbox.records.identifiers import PAGES, StoredResource, uri
from sandbox.records.slots import TimeSpan


@dataclass(frozen=True)
class StoredCancellation:
    """Who called a meeting off, and why."""

    canceled_by: str
    reason: str | None
    canceler_type: Literal["host", "invitee"]
    created_at: datetime


@dataclass(frozen=True)
class StoredGuest:
    """Someone an invitee brings along."""

    email: str
    created_at: datetime


@dataclass(frozen=True)
class StoredAnswer:
    """What an invitee answered to a question."""

    question: str
    answer: str
    position: int


@dataclass
class StoredInvitee(StoredResource):
    """Someone who booked a meeting."""

    collection: ClassVar[str] = "invitees"

    event: str
    email: str
    name: str
    timezone: str
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
    cancellation: StoredCancellation | None = None

    @property
    @override
    def uri(self) -> str:
        return uri("scheduled_events", self.event, self.collection, self.id)

    @property
    def cancel_url(self) -> str:
        """Return the page on which the invitee cancels."""
        return f"{PAGES}/cancellations/{self.id}"

    @property
    def reschedule_url(self) -> str:
        """Return the page on which the invitee moves the meeting."""
        return f"{PAGES}/reschedulings/{self.id}"


@dataclass
class StoredScheduledEvent(StoredResource):
    """A booked meeting. `listed_at` is when lists begin to show it."""

    collection: ClassVar[str] = "scheduled_events"

    event_type: str
    organization: str
    hosts: tuple[str, ...]
    name: str
    times: TimeSpan
    location: dict[str, object] | None
    invitee_limit: int
    created_at: datetime
    updated_at: datetime
    listed_at: datetime
    before_buffer: int = 0
    after_buffer: int = 0
    calendar_event: str | None = None
    guests: list[StoredGuest] = field(default_factory=list[StoredGuest])
    invitees: list[StoredInvitee] = field(default_factory=list[StoredInvitee])
    cancellation: StoredCancellation | None = None

    @property
    def buffered_times(self) -> TimeSpan:
        """Return the time the hosts keep free for it, buffers included."""
        return TimeSpan(
            self.times.start - timedelta(minutes=self.before_buffer),
            self.times.end + timedelta(minutes=self.after_buffer),
        )

    @property
    def active_invitees(self) -> list[StoredInvitee]:
        """Return who has not canceled."""
        return [invitee for invitee in self.invitees if invitee.cancellation is None]
