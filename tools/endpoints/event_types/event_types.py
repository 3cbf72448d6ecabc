"""Event types: the kinds of meeting that people can book."""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from calendly import models
from calendly.identifiers import UserId
from tools.fields import (
    Count,
    EventTypeRef,
    MaxPages,
    OrganizationRef,
    PageToken,
    ScheduleRef,
    UserRef,
)
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import nothing_matches, only_yours, searched, whose

event_types = Toolset()

_ORDER: Final = re.compile(r"(name|position|created_at|updated_at):(asc|desc)")
_LONGEST_ORDER: Final = 200


def _sort(text: str) -> str:
    text = text.strip()
    if len(text) > _LONGEST_ORDER or not all(_ORDER.fullmatch(part) for part in text.split(",")):
        raise ValueError("Expected name, position, created_at or updated_at with :asc or :desc, comma-separated.")
    return text


Sort = Annotated[
    str,
    AfterValidator(_sort),
    Field(description="name, position, created_at, updated_at with :asc/:desc, comma-separated"),
]


@event_types.tool(
    "GET",
    "/event_types",
    title="List event types",
    scope="event_types:read",
    capability="event_types",
    audit=Sentence("list", lambda call: f"the event types of {call.owner()}"),
    presets=("scheduling",),
    is_cacheable=True,
)
async def list_event_types(
    call: Call,
    user: UserRef | None = None,
    organization: OrganizationRef | None = None,
    active: bool | None = None,
    admin_managed: bool | None = None,
    user_availability_schedule: Annotated[ScheduleRef, Field(description="only with user")] | None = None,
    sort: Sort = "name:asc",
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.EventType]:
    """List event types, the kinds of meeting people can book; by default yours.

    Next: list_event_type_available_times.
    """
    if user is None and organization is None:
        user = UserId.ME
    if user_availability_schedule and not user:
        raise ArgumentError.of("user_availability_schedule", "Works only together with user.")
    filters = {
        "active": active,
        "admin_managed": admin_managed,
        "user_availability_schedule": await call.uri(user_availability_schedule),
    }
    query = {
        "user": await call.uri(user),
        "organization": await call.uri(organization),
        **filters,
        "sort": sort,
    }
    page = await call.pages(models.EventType, query=query, count=count, page_token=page_token, max_pages=max_pages)
    status = None if active is None else "active" if active else "inactive"
    looked = searched(whose(user, organization), status=status)
    beyond = None if organization else only_yours(user, "user or organization")
    return page_of(page, looked, nothing_matches(filters, page_token, beyond=beyond))


@event_types.tool(
    "GET",
    "/event_types/{event_type}",
    title="Get event type",
    scope="event_types:read",
    capability="event_types",
    audit=Sentence("read", "the event type {event_type}"),
    presets=("scheduling",),
    is_cacheable=True,
    in_parts=True,
)
async def get_event_type(call: Call, event_type: EventTypeRef) -> models.EventType:
    """Look up an event type: duration, locations, questions to answer when booking."""
    return await call(models.EventType, event_type=event_type)
