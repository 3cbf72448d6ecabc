"""The activity log of an organization, and the messages that Calendly sent for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource


@dataclass
class StoredActivity(StoredResource):
    """An entry of the activity log.

    Attributes:
        actor: Id of the user; None for Calendly itself.
    """

    collection: ClassVar[str] = "activity_log_entries"

    organization: str
    actor: str | None
    namespace: str
    action: str
    occurred_at: datetime
    details: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True)
class StoredMessage:
    """A message that Calendly sent about a meeting.

    Attributes:
        event: Id of the scheduled event.
        subject: None for a text message.
    """

    type: Literal["sms", "email"]
    event: str
    to: str
    subject: str | None
    body: str
    sent_at: datetime
