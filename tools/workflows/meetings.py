"""Booked meetings with their invitees, shared by several workflows: in order, read side by side, continuable."""

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
"""Most meetings of one call; a further call continues."""


class MeetingWithInvitees(Meeting, total=False):
    """A scheduled event with its invitees."""

    invitees: list[Attendee]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The meetings to look at.

    Attributes:
        start: The first start.
        end: The end of the range of starts, exclusive.
        user: Their host.
        organization: Their organization, for meetings of all hosts.
        status: Their status, None for any.
        invitee_email: The address of an invitee, None for any.
    """

    start: datetime
    end: datetime
    user: UserId | None = None
    organization: OrganizationId | None = None
    status: Literal["active", "canceled"] | None = None
    invitee_email: str | None = None


@dataclass(frozen=True, slots=True)
class Meetings:
    """What was found, and where to continue; None at the end."""

    rows: list[MeetingWithInvitees]
    looked_at: int
    goes_on: Position | None

    def way_on(self) -> Continued:
        """Return the field that says how to continue; empty at the end."""
        return {"continue_from": self.goes_on.token()} if self.goes_on else {}


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
    most: int = _MOST_LOOKED_AT,
) -> Meetings:
    """Read meetings with their invitees in the order of their start, until the end or until time runs short.

    Args:
        call: The call of the workflow.
        asked: Which meetings.
        token: The token of an earlier call.
        with_invitees: Whether to read invitees.
        wanted: Selects the meetings to look at.
        is_enough: Says whether the rows so far are enough.
        most: Most meetings to look at.

    Raises:
        CalendlyError, ToolError: The first page could not be read.
    """
    place = Position.parse(token) if token else Position(asked.start)
    rows: list[MeetingWithInvitees] = []
    looked_at = 0
    try:
        async for batch in _batches(call, asked, place):
            rows += await _with_invitees(call, list(filter(wanted, batch)), with_invitees=with_invitees)
            looked_at += len(batch)
            place = after(batch, place)
            await call.caller.report(f"{looked_at} meetings looked at, until {place.start:%Y-%m-%d %H:%M} UTC")
            if is_enough(rows) or looked_at >= most or call.caller.time_left() < ENOUGH_TIME:
                return Meetings(rows, looked_at, place)
    except RateLimited:
        if not looked_at:
            raise
        return Meetings(rows, looked_at, place)
    return Meetings(rows, looked_at, None)


async def _batches(call: Call, asked: Range, place: Position) -> AsyncIterator[list[Meeting]]:
    """Yield the meetings from a position, a few at a time."""
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
    """Return the active invitees, or all invitees of a canceled meeting."""
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


def after(batch: Sequence[Meeting], place: Position) -> Position:
    """Return the position after a batch."""
    times = [start for start in map(starts, batch) if start is not None]
    if not times:
        return place
    last = times[-1]
    given = frozenset(_id(event) for event in batch if starts(event) == last)
    return Position(last, given | place.given if last == place.start else given)


def starts(event: Meeting) -> datetime | None:
    """Return the start of a meeting, None if Calendly does not say."""
    return sent_time(event.get("start_time"))


def _id(event: Meeting) -> str:
    return (event.get("uri") or "").rpartition("/")[2]
