"""Webhook subscriptions, and what is delivered to them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.personal import PERSONAL


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


class WebhookPayload(TypedDict, total=False):
    """What a delivery is about. Its fields depend on the event."""


class WebhookSample(TypedDict, total=False):
    """A delivery of a webhook, as an example."""

    event: str | None
    created_at: str | None
    created_by: Annotated[str | None, Field(description="user URI")]
    payload: Annotated[WebhookPayload | None, PERSONAL]
