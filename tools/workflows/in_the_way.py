"""Why an event type cannot be booked at a time that overlaps the meeting to be moved.

Calendly offers no such time while the meeting stands. It will offer it afterwards if the time is one
at which meetings of the type begin, within the working hours, and nothing else is in the way.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import reduce
from math import gcd
from typing import Final, Literal, NamedTuple

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import InvalidIdentifier, UserId
from tools.answers.views import Meeting
from tools.booking.survey import OpenStarts
from tools.endpoints.availability import list_user_availability_schedules, list_user_busy_times
from tools.times import sent_length, wire
from tools.toolset.declaring import Call
from tools.toolset.errors import ToolError
from tools.working_hours import Span, working_spans
from tools.zones import zone_of

_BUFFERS: Final[tuple[Literal["before_buffer", "after_buffer"], ...]] = ("before_buffer", "after_buffer")
_FEWEST: Final = 3
"""How many open times it takes to see how far apart they are."""

_UNCLEAR: Final = "Calendly does not say which of them the event type keeps, so nothing was risked."
_UNSEEN: Final = "Whether anything else stands in its way could not be read, so nothing was risked."


def overlaps(event: Span, kind: models.EventType, start: datetime) -> bool:
    """Return whether a meeting of a type and the existing one, buffers included, take the same time."""
    needed, (before, after) = needed_for(event, kind, start), _buffers(kind)
    return needed.start < event.end + after and event.start - before < needed.end


def needed_for(event: Span, kind: models.EventType, start: datetime) -> Span:
    """Return the time that a meeting of a type takes, buffers included; by default as long as the existing one."""
    before, after = _buffers(kind)
    return Span(start - before, start + (sent_length(kind.get("duration")) or event.end - event.start) + after)


async def objection(
    call: Call, event: Meeting, span: Span, kind: models.EventType, opening: tuple[datetime, OpenStarts]
) -> str | None:
    """Say why a time will not be open even once the meeting is gone; None if only the meeting is in the way.

    Args:
        call: The call that moves the meeting.
        event: The meeting.
        span: When it is.
        kind: Its event type.
        opening: The wanted start, and the open times around it.
    """
    start, listed = opening
    raster = _raster(kind, span.start, listed.starts)
    if raster is None:
        return _UNSEEN
    if (start - span.start) % raster:
        return f"No meeting of this event type begins at {wire(start)}: its times are {_minutes(raster)} minutes apart."
    needed = needed_for(span, kind, start)
    overlap = _Overlap(event.get("uri") or "", span, _without_buffers(needed, kind), needed)
    for host in event.get("event_memberships") or [{}]:
        told = await _objection_of(call, host.get("user") or "", overlap)
        if told is not None:
            return told
    return None


class _Overlap(NamedTuple):
    """Two meetings at overlapping times.

    Attributes:
        uri: Of the existing one.
        old: When the existing one is.
        new: When the new one would be.
        needed: The same with its buffers.
    """

    uri: str
    old: Span
    new: Span
    needed: Span


async def _objection_of(call: Call, uri: str, overlap: _Overlap) -> str | None:
    """Return what a host's hours or calendar say against the new meeting."""
    try:
        host = UserId.parse(uri)
        schedules = await call.inquire(list_user_availability_schedules)(host)
        busy = await call.inquire(list_user_busy_times)(overlap.needed.start, overlap.needed.end, host)
    except (CalendlyError, ToolError, InvalidIdentifier):
        return _UNSEEN
    if any((row.get("event") or {}).get("uri") != overlap.uri for row in busy.get("collection", [])):
        return f"Something else is in the host's calendar at {wire(overlap.new.start)}, besides the meeting itself."
    return _outside(schedules.get("collection", []), overlap.old, overlap.new)


def _outside(schedules: Sequence[models.AvailabilitySchedule], old: Span, new: Span) -> str | None:
    """Say that a time is outside the working hours, or may be: Calendly does not say which schedule a type keeps."""
    kept = [schedule for schedule in schedules if _holds(schedule, old)] or schedules
    within = [_holds(schedule, new) for schedule in kept]
    if within and all(within):
        return None
    if any(within):
        return f"{wire(new.start)} is outside the working hours of one of the host's schedules. {_UNCLEAR}"
    return f"{wire(new.start)} is outside the working hours."


def _holds(schedule: models.AvailabilitySchedule, meeting: Span) -> bool:
    zone = zone_of(schedule.get("timezone"))
    spans = working_spans(schedule, zone, meeting) if zone else []
    return any(span.holds(meeting.start, meeting.end - meeting.start) for span in spans)


def _raster(kind: models.EventType, own: datetime, starts: Iterable[datetime]) -> timedelta | None:
    """Return how far apart the times of a type are; None if neither the type nor its open times show it."""
    increment = sent_length(kind.get("start_time_increment"))
    apart = [int((start - own).total_seconds()) for start in starts]
    if increment:
        return increment
    return timedelta(seconds=reduce(gcd, apart)) if len(apart) >= _FEWEST else None


def _without_buffers(needed: Span, kind: models.EventType) -> Span:
    before, after = _buffers(kind)
    return Span(needed.start + before, needed.end - after)


def _buffers(kind: models.EventType) -> tuple[timedelta, timedelta]:
    before, after = (sent_length(kind.get(name)) for name in _BUFFERS)
    return before, after


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g}"
