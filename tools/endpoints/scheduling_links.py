"""Scheduling links: links with which one meeting can be booked."""

from typing import Annotated, Literal

from pydantic import Field

from calendly import models
from tools.fields import EventTypeRef
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset

scheduling_links = Toolset()


@scheduling_links.tool(
    "POST",
    "/scheduling_links",
    title="Create single-use scheduling link",
    scope="scheduling_links:write",
    capability="scheduling_links",
    audit=Sentence("create", "a single-use link[ for the event type {owner}]"),
    scheduling=True,
)
async def create_single_use_scheduling_link(
    call: Call,
    owner: Annotated[EventTypeRef, Field(description="event type")],
    owner_type: Literal["EventType"] = "EventType",
    max_event_count: Annotated[int, Field(ge=1, le=1)] = 1,
) -> models.SchedulingLink:
    """Create a booking link for one event type that a person can use once.

    It serves one booking; unused, it dies after 90 days. Nobody is e-mailed: hand out booking_url.
    """
    body = {"max_event_count": max_event_count, "owner": owner.uri, "owner_type": owner_type}
    return await call(models.SchedulingLink, body=body)
