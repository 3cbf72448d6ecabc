"""Booked meetings with their invitees, as several workflows need them: in order, side by side, and to be continued."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from calendly import models
from calendly.errors import RateLimited
from calendly.identifiers import InvalidIdentifier, OrganizationId, ScheduledEventId, UserId
from calendly.side_by_side import side_by_side
from tools.answers.views import Attendee, Meeting
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.fields import LARGEST_PAGE
from tools.times import BOUND, sent_time
from tools.toolset.declaring import Call
from tools.workflows.continuing import ENOUGH_TIME, Continued, Position

_AT_ONCE: Final = 10
_MOST_INVITEE_PAGES: Final = 3
_MOST_LOOKED_AT: Final = 300
"""Meetings in one call; the next one goes on."""


class MeetingWithInvitees(Meeting, total=False):
    """A scheduled event with those who booked it."""

    invitees: list[Attendee]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Which meetings are looked at.

    Attributes:
        start: The first instant at which they begin.
        end: The instant before which they begin.
        user: Whose.
        organization: Of which organization, whoever hosts them.
        status: In which state, None for any.
        invitee_email: Only those that were booked with this address.
    """

    start: datetime
    end: datetime
    user: UserId | None = None
    organization: OrganizationId | None = None
    status: Literal["active", "canceled"] | None = None
    invitee_email: str | None = None


@dataclass(frozen=True, slots=True)
class Meetings:
    """What was found, and where to go on; None at the end."""

    rows: list[MeetingWithInvitees]
    looked_at: int
    goes_on: Position | None

    def way_on(self) -> Continued:
        """What an answer says of how to go on; nothing at the end."""
        return {"continue": self.goes_on.token()} if self.goes_on else {}


Look = Callable[[Meeting], bool]
Enough = Callable[[Sequence[MeetingWithInvitees]], bool]


async def look_through(
    call: Call,
    asked: Range,
    token: str | None,
    *,
    with_invitees: bool,
    wanted: Look,
    is_enough: Enough = lambda _: False,
) -> Meetings:
    """Read meetings in the order of their start, with their invitees, until the end or until time runs short.

    Args:
        call: Of the workflow.
        asked: Which meetings.
        token: Where an earlier call stopped.
        with_invitees: Whether who booked them is read, too.
        wanted: Says of a meeting whether it is to be looked at.
        is_enough: Says of what was found so far whether it will do.

    Raises:
        CalendlyError, ToolError: Not even the first ones could be read.
    """
    place = Position.parse(token) if token else Position(asked.start)
    rows: list[MeetingWithInvitees] = []
    looked_at = 0
    try:
        async for batch in _batches(call, asked, place):
            rows += await _with_invitees(call, list(filter(wanted, batch)), with_invitees=with_invitees)
            looked_at += len(batch)
            place = _after(batch, place)
            await call.caller.report(f"{looked_at} meetings looked at, until {place.start:%Y-%m-%d %H:%M} UTC")
            if is_enough(rows) or looked_at >= _MOST_LOOKED_AT or call.caller.time_left() < ENOUGH_TIME:
                return Meetings(rows, looked_at, place)
    except RateLimited:
        if not looked_at:
            raise
        return Meetings(rows, looked_at, place)
    return Meetings(rows, looked_at, None)


async def _batches(call: Call, asked: Range, place: Position) -> AsyncIterator[list[Meeting]]:
    """The meetings from a place on, some at a time."""
    token: str | None = None
    while True:
        page = await call.via(list_scheduled_events)(
            user=asked.user,
            organization=asked.organization,
            status=asked.status,
            invitee_email=asked.invitee_email,
            min_start_time=place.start - BOUND,
            max_start_time=asked.end,
            sort="start_time:asc",
            count=LARGEST_PAGE,
            page_token=token,
        )
        rows = [row for row in page.get("collection", []) if _is_from(row, place)]
        for first in range(0, len(rows), _AT_ONCE):
            yield rows[first : first + _AT_ONCE]
        token = page.get("pagination", {}).get("next_page_token")
        if token is None:
            return


async def _with_invitees(call: Call, events: Sequence[Meeting], *, with_invitees: bool) -> list[MeetingWithInvitees]:
    if not with_invitees:
        return [models.read(MeetingWithInvitees, dict(event)) for event in events]
    found = await side_by_side([partial(_invitees, call, event) for event in events])
    return [
        models.read(MeetingWithInvitees, {**event, "invitees": people})
        for event, people in zip(events, found, strict=True)
    ]


async def _invitees(call: Call, event: Meeting) -> list[Attendee]:
    """Those who come, or of a meeting that is canceled, those who would have."""
    status: Any = "active" if event.get("status") == "active" else None
    try:
        identifier = ScheduledEventId.parse(event.get("uri") or "")
    except InvalidIdentifier:
        return []
    page = await call.via(list_event_invitees)(
        identifier, status=status, count=LARGEST_PAGE, max_pages=_MOST_INVITEE_PAGES
    )
    return [models.read(Attendee, row) for row in page.get("collection", [])]


def _is_from(event: Meeting, place: Position) -> bool:
    start = starts(event)
    return start is None or start > place.start or (start == place.start and _id(event) not in place.given)


def _after(batch: Sequence[Meeting], place: Position) -> Position:
    """Where to go on after these, which are in order."""
    times = [start for start in map(starts, batch) if start is not None]
    if not times:
        return place
    last = times[-1]
    given = frozenset(_id(event) for event in batch if starts(event) == last)
    return Position(last, given | place.given if last == place.start else given)


def starts(event: Meeting) -> datetime | None:
    """Return when a meeting begins, None where Calendly does not say."""
    return sent_time(event.get("start_time"))


def _id(event: Meeting) -> str:
    return (event.get("uri") or "").rpartition("/")[2]
