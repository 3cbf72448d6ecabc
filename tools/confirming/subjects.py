"""What a writing call is about, for conditions such as "only these event types": read from Calendly as the person.

The agent learns nothing of it but whether the call is within its limits. What cannot be read is not within them, and
nothing is read that no condition asks for.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, Identifier, InvalidIdentifier, ScheduledEventId, UserId
from calendly.models.reading import UNRECOGNIZED
from tools.booking.create_event_invitee import InviteeFields, create_event_invitee
from tools.endpoints.event_types import get_event_type
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event
from tools.endpoints.scheduling_links import create_single_use_scheduling_link
from tools.toolset.declaring import Call
from tools.toolset.effects import Subject
from tools.toolset.errors import ToolError
from tools.toolset.tool import Tool, tool_of
from tools.workflows.rescheduling import reschedule_scheduled_event

_MOST_PAGES: Final = 50


async def _booking(
    call: Call,
    aspects: Collection[str],
    event_type: EventTypeId,
    invitee: InviteeFields,
    event_guests: list[str] | None = None,
    **_: object,
) -> Subject:
    return Subject(
        event_types=frozenset({event_type.uuid}),
        hosts=await _owner(call, event_type) if "hosts" in aspects else None,
        addresses=frozenset({invitee["email"], *(event_guests or [])}),
    )


async def _canceling(call: Call, aspects: Collection[str], scheduled_event: ScheduledEventId, **_: object) -> Subject:
    try:
        event = await call.inquire(get_scheduled_event)(scheduled_event)
    except (CalendlyError, ToolError):
        return Subject()
    if UNRECOGNIZED in event:  # a host or a guest may be among it
        return Subject()
    return Subject(
        event_types=_uuids(EventTypeId, [event.get("event_type")]),
        hosts=_uuids(UserId, [host.get("user") for host in event.get("event_memberships") or []]),
        addresses=await _told(call, scheduled_event, event) if "domains" in aspects else None,
    )


async def _moving(call: Call, aspects: Collection[str], scheduled_event: ScheduledEventId, **_: object) -> Subject:
    """The meeting that is canceled, and the one that is booked in its place: of the same event type and people."""
    old = await _canceling(call, aspects, scheduled_event)
    if "hosts" not in aspects or old.hosts is None or not old.event_types:
        return old
    owners = [await _owner(call, EventTypeId(uuid)) for uuid in old.event_types]
    hosts = None if None in owners else old.hosts.union(*(owner for owner in owners if owner))
    return replace(old, hosts=hosts)


async def _linking(call: Call, aspects: Collection[str], owner: EventTypeId, **_: object) -> Subject:
    return Subject(event_types=frozenset({owner.uuid}), hosts=await _owner(call, owner) if "hosts" in aspects else None)


SUBJECTS: Final[Mapping[Tool, Callable[..., Awaitable[Subject]]]] = MappingProxyType(
    {
        tool_of(create_event_invitee): _booking,
        tool_of(cancel_scheduled_event): _canceling,
        tool_of(reschedule_scheduled_event): _moving,
        tool_of(create_single_use_scheduling_link): _linking,
    }
)
"""What the calls are about of which that can be limited; each is called with what is to be found out, then with the
tool's own parameters."""


async def _told(call: Call, scheduled_event: ScheduledEventId, event: models.ScheduledEvent) -> frozenset[str] | None:
    """Whom Calendly tells that a meeting is canceled; None when not all of them can be known.

    Invitees who canceled before are not told. Of guests Calendly does not say whose they are, so all of them count.
    """
    invitees = call.inquire(list_event_invitees)
    try:
        found = await invitees(scheduled_event, status="active", count=100, max_pages=_MOST_PAGES)
    except (CalendlyError, ToolError):
        return None
    pagination = found.get("pagination", {})
    if UNRECOGNIZED in pagination or pagination.get("next_page_token") is not None:
        return None
    people = [*found.get("collection", []), *(event.get("event_guests") or [])]
    return frozenset(person.get("email") or "" for person in people)


async def _owner(call: Call, event_type: EventTypeId) -> frozenset[str] | None:
    """Who hosts what is booked; None for an event type of several people: Calendly does not say who they are."""
    try:
        kind = await call.inquire(get_event_type)(event_type)
    except (CalendlyError, ToolError):
        return None
    profile = kind.get("profile") or {}
    is_ones_own = profile.get("type") == "User" and not kind.get("pooling_type")
    return _uuids(UserId, [profile.get("owner")]) if is_ones_own else None


def _uuids(kind: type[Identifier], uris: Iterable[str | None]) -> frozenset[str] | None:
    try:
        return frozenset(kind.parse(uri or "").uuid for uri in uris)
    except InvalidIdentifier:
        return None
