"""The reads right before a booking: the event type, and the open times around the wanted one.

Both run as the person, side by side, with a short time limit. A failed or late read never blocks
the booking.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

import anyio

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId
from calendly.third_party_text import exactly
from tools.answers.local_times import told
from tools.endpoints.availability import list_event_type_available_times
from tools.endpoints.event_types.event_types import get_event_type
from tools.times import sent_time, wire
from tools.toolset.declaring import Call
from tools.toolset.errors import ToolError

PATIENCE: Final = 8.0
"""Time limit for the reads before a write, in seconds; the write needs the rest of the call."""

_SOON: Final = timedelta(minutes=5)
"""Calendly wants ranges that begin in the future, and its clock may differ from ours."""

_BEFORE: Final = timedelta(days=1)
_DAYS: Final = 4
_MOST_BEFORE, _MOST_AFTER = 2, 4


@dataclass(frozen=True, slots=True)
class OpenStarts:
    """The open start times from `first` until before `last`, in order.

    Attributes:
        starts: The instants.
        texts: How Calendly writes each of them. A booking repeats it exactly.
    """

    first: datetime
    last: datetime
    starts: tuple[datetime, ...]
    texts: Mapping[datetime, str]

    def offers(self, start: datetime) -> bool | None:
        """Return whether a meeting can begin then; None for a time outside the range."""
        return start in self.starts if self.first <= start < self.last else None

    def near(self, start: datetime, zone: tzinfo | None) -> str:
        """Name the open times nearest to `start`, in UTC and in a zone if one is given."""
        before = [time for time in self.starts if time < start][-_MOST_BEFORE:]
        after = [time for time in self.starts if time > start][:_MOST_AFTER]
        if not before and not after:
            return f"None is open from {wire(self.first)} to {wire(self.last)}."
        named = ", ".join(_named(time, zone) for time in [*before, *after])
        return f"Nearest open times: {named}{f' (local: {zone})' if zone else ''}."


@dataclass(slots=True)
class Survey:
    """What the reads returned; None for a failed one.

    Attributes:
        kind: The event type.
        open_times: When it can be booked.
    """

    kind: models.EventType | None = None
    open_times: OpenStarts | None = None


async def survey(call: Call, event_type: EventTypeId, start: datetime) -> Survey:
    """Read the event type and the open times around `start`."""
    found = Survey()

    async def read_kind() -> None:
        found.kind = await kind_of(call, event_type)

    async def read_open_times() -> None:
        found.open_times = await open_times(call, event_type, start)

    with anyio.move_on_after(PATIENCE):
        async with anyio.create_task_group() as group:
            group.start_soon(read_kind)
            group.start_soon(read_open_times)
    return found


async def kind_of(call: Call, event_type: EventTypeId) -> models.EventType | None:
    """Read an event type as the person; None if that fails."""
    try:
        return await call.inquire(get_event_type)(event_type)
    except (CalendlyError, ToolError):
        return None


async def open_times(call: Call, event_type: EventTypeId, start: datetime) -> OpenStarts | None:
    """Read the open times from a day before; None if that fails or one of them is not understood."""
    days = min(_DAYS, call.caller.available_times_cap.days)
    first = max(start - _BEFORE * days / _DAYS, call.caller.now() + _SOON)
    last = first + timedelta(days=days)
    try:
        listed = await call.inquire(list_event_type_available_times)(event_type, first, last)
    except (CalendlyError, ToolError):
        return None
    rows = listed.get("collection", [])
    texts = {sent_time(text := row.get("start_time") or ""): exactly(text) for row in rows}
    understood = {start: text for start, text in texts.items() if start is not None}
    return OpenStarts(first, last, tuple(sorted(understood)), understood) if None not in texts else None


def _named(time: datetime, zone: tzinfo | None) -> str:
    return f"{told(time.astimezone(zone))} = {wire(time)}" if zone else wire(time)
