"""Webhook subscriptions."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource


@dataclass
class StoredWebhookSubscription(StoredResource):
    """A webhook subscription.

    Attributes:
        events: Names of the events it covers.
        subject: Id of the user or group for those scopes.
        creator: Id of the user who created it.
        retry_started_at: Since when deliveries fail.
    """

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
