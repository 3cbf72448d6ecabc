"""Scheduling links: links with which one meeting can be booked.

A link for an event type that nobody can book is refused, as a booking of it is.
"""

from typing import Annotated, Literal

import anyio
from pydantic import Field

from calendly import models
from tools.booking.checks import state_faults
from tools.booking.survey import PATIENCE, kind_of
from tools.fields import EventTypeRef
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError

scheduling_links = Toolset()


@scheduling_links.tool(
    "POST",
    "/scheduling_links",
    title="Create single-use scheduling link",
    scope="scheduling_links:write",
    capability="scheduling_links",
    audit=Sentence("create", "a single-use link[ for the event type {owner}]"),
    presets=("scheduling",),
)
async def create_single_use_scheduling_link(
    call: Call,
    owner: Annotated[EventTypeRef, Field(description="event type")],
    owner_type: Literal["EventType"] = "EventType",
    max_event_count: Annotated[int, Field(ge=1, le=1)] = 1,
) -> models.SchedulingLink:
    """Create a single-use booking link for one event type.

    It serves one booking; unused, it dies after 90 days. Nobody is e-mailed: hand out booking_url.
    For dates or hours: create_share.
    """
    await call.precheck()
    kind: models.EventType | None = None
    with anyio.move_on_after(PATIENCE):
        kind = await kind_of(call, owner)
    if kind is not None and (faults := state_faults(kind, "owner")):
        raise ArgumentError(*faults)
    body = {"max_event_count": max_event_count, "owner": owner.uri, "owner_type": owner_type}
    return await call(models.SchedulingLink, body=body)
