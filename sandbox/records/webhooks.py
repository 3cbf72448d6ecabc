"""Who is told what happens."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource


@dataclass
class StoredWebhookSubscription(StoredResource):
    """Where to send which happenings of whom; `subject` is the user or group that `scope` speaks of."""

    collection: ClassVar[str] = "webhook_subscriptions"

    callback_url: str
    events: tuple[str, ...]
    scope: Literal["organization", "user", "group"]
    organization: str
    subject: str | None
    creator: str
    signing_key: str | None
    created_at: datetime
    updated_at: datetime
    retry_started_at: datetime | None = None
    state: Literal["active", "disabled"] = "active"
