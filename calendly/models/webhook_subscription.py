"""Webhook subscriptions."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class WebhookSubscription(TypedDict, total=False):
    """A webhook subscription."""

    uri: str | None
    callback_url: str | None
    created_at: str | None
    updated_at: str | None
    retry_started_at: Annotated[str | None, Field(description="deliveries fail since then")]
    state: Annotated[str | None, Field(description="active or disabled")]
    events: list[str] | None
    scope: Annotated[str | None, Field(description="user, organization or group")]
    organization: str | None
    user: str | None
    group: str | None
    creator: str | None
