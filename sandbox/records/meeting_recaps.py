"""What the Notetaker noted of meetings."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource, uri
from sandbox.records.slots import TimeSpan


@dataclass(frozen=True)
class StoredAttendee:
    """Who was in a meeting."""

    email: str
    name: str
    host: bool = False


@dataclass
class StoredMeetingRecap(StoredResource):
    """A recap, which its user alone may see.

    Attributes:
        user: Id of the user.
        event: Id of the scheduled event; None for a meeting that was not booked with Calendly.
        location: Where it was, as Calendly writes it.
        transcript: What was said, a line for each segment; None while it is not there.
    """

    collection: ClassVar[str] = "meeting_recaps"

    user: str
    event: str | None
    name: str
    times: TimeSpan
    attendees: tuple[StoredAttendee, ...]
    updated_at: datetime
    location: dict[str, object] | None = None
    status: Literal["Available", "Processing", "Unavailable"] = "Available"
    summary: str | None = None
    action_items: str | None = None
    discussion: str | None = None
    transcript: str | None = None

    @property
    def event_uri(self) -> str | None:
        """The URI of the scheduled event."""
        return None if self.event is None else uri("scheduled_events", self.event)
