"""Finding a booking when Calendly's answer was lost.

Calendly has no idempotency keys, and its lists show new bookings late. A booking that is found is
the answer; one that is not found may still exist.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, cast

import anyio
from typing_extensions import TypedDict

from calendly.errors import CalendlyError, InsufficientScope, OutcomeUnknown, PermissionDenied
from calendly.identifiers import EventTypeId, OrganizationId, ScheduledEventId, UserId
from tools.answers.views import Meeting
from tools.booking.booked import Booked
from tools.booking.checks import hosts_take_turns
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.fields import LARGEST_PAGE
from tools.times import sent_time, wire
from tools.toolset.declaring import Call
from tools.toolset.errors import ToolError

_PAUSES: Final = (1.0, 2.0, 4.0, 8.0)
"""Waits between looks, in seconds."""

_PATIENCE: Final = 25.0
"""Time limit for all looks, in seconds: a Calendly that does not answer them will not answer more of them."""

_INSTANT: Final = timedelta(seconds=1)
_LONGEST_MEETING: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class BookingSought:
    """What identifies a booking: event type, start and invitee."""

    event_type: EventTypeId
    start: datetime
    email: str


class SearchedIn(TypedDict, total=False):
    """Whose events to search."""

    user: UserId
    organization: OrganizationId


async def _nobody() -> None:
    """Return None: no other call knows the booking."""


async def look_up(
    call: Call,
    wanted: BookingSought,
    unknown: OutcomeUnknown,
    answered: Callable[[], Awaitable[Booked | None]] = _nobody,
) -> Booked:
    """Look for a booking whose outcome is unknown, and return its invitee.

    Args:
        call: The call on whose behalf to look.
        wanted: What was to be booked.
        unknown: The error that ended the booking call.
        answered: Returns the booking if another call has found it meanwhile.

    Raises:
        OutcomeUnknown: The booking does not show within the time of this call.
    """
    found = await look_for(call, wanted, answered)
    if found is None:
        places = await _places(call, wanted.event_type)
        raise unknown.retold(f"{unknown.reason} {_where_to_look(wanted, places)}") from unknown
    return found


async def look_for(
    call: Call, wanted: BookingSought, answered: Callable[[], Awaitable[Booked | None]] = _nobody
) -> Booked | None:
    """Return the invitee of a booking that Calendly may list late, None if it does not show for a while."""
    found: Booked | None = None
    with anyio.move_on_after(_PATIENCE):
        places = await _places(call, wanted.event_type)
        found = await _find(call, wanted, places)
        for pause in _PAUSES:
            if found is not None or not await call.caller.pause(pause):
                break
            found = await answered() or await _find(call, wanted, places)
    return found


def _where_to_look(wanted: BookingSought, places: Sequence[SearchedIn]) -> str:
    whose = next((f'organization="{place["organization"].uri}", ' for place in places if "organization" in place), "")
    return (
        "The meeting may be booked, although Calendly does not list it so far. Before booking again look with "
        f'list_scheduled_events, {whose}invitee_email="{wanted.email}", status="active", '
        f'min_start_time="{wire(wanted.start)}", max_start_time="{wire(wanted.start)}".'
    )


async def booked_already(call: Call, wanted: BookingSought) -> Booked | None:
    """Return the invitee of a booking that exists, None if none is found."""
    return await _find(call, wanted, await _places(call, wanted.event_type))


async def is_absent(call: Call, wanted: BookingSought) -> bool | None:
    """Return whether the list of the whole organization lacks a booking, None if this person may not read that list."""
    try:
        return await _find_in(call, wanted, {"organization": await call.own(None)}) is None
    except (PermissionDenied, InsufficientScope):
        return None
    except (CalendlyError, ToolError, ValueError):
        return False


async def overlapping(call: Call, wanted: BookingSought, length: timedelta) -> Meeting | None:
    """Return a meeting of the same invitee with the same host that overlaps a booking, None if none is found."""
    end = wanted.start + length
    for place in await _places(call, wanted.event_type):
        try:
            page = await call.inquire(list_scheduled_events)(
                **place,
                invitee_email=wanted.email,
                status="active",
                min_start_time=wanted.start - _LONGEST_MEETING,
                max_start_time=end,
                count=LARGEST_PAGE,
            )
        except (CalendlyError, ToolError):
            continue  # not to be seen there by this person, or not now
        for event in page.get("collection", []):
            begins, ends = sent_time(event.get("start_time")), sent_time(event.get("end_time"))
            if begins and ends and begins < max(end, wanted.start + _INSTANT) and wanted.start < ends:
                return event
    return None


async def _places(call: Call, event_type: EventTypeId) -> Sequence[SearchedIn]:
    """Return where to look: with the owner, or across the organization where hosts take turns."""
    try:
        kind = await call.inquire(get_event_type)(event_type)
        profile = kind.get("profile") or {}
        if profile.get("type") == "User" and not hosts_take_turns(kind):
            return ({"user": UserId.parse(profile.get("owner") or "")},)
        return ({"organization": await call.own(None)}, {"user": UserId.ME})
    except (CalendlyError, ToolError, ValueError):
        return ({"user": UserId.ME},)


async def _find(call: Call, wanted: BookingSought, places: Sequence[SearchedIn]) -> Booked | None:
    for place in places:
        try:
            found = await _find_in(call, wanted, place)
        except (CalendlyError, ToolError, ValueError):
            continue  # not to be seen there by this person, or not now
        if found is not None:
            return found
    return None


async def _find_in(call: Call, wanted: BookingSought, place: SearchedIn) -> Booked | None:
    events = await call.inquire(list_scheduled_events)(
        **place,
        invitee_email=wanted.email,
        status="active",
        min_start_time=wanted.start,
        max_start_time=wanted.start,
    )
    for event in events.get("collection", []):
        if event.get("event_type") == wanted.event_type.uri and sent_time(event.get("start_time")) == wanted.start:
            identifier = ScheduledEventId.parse(event.get("uri") or "")
            invitees = await call.inquire(list_event_invitees)(identifier, status="active", email=wanted.email)
            return next((cast("Booked", invitee) for invitee in invitees.get("collection", [])), None)
    return None
