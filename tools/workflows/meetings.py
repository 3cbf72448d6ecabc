"""Booked meetings with their invitees, shared by several workflows: in order, read side by side, continuable."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial, reduce
from typing import Final, Literal

from calendly import models
from calendly.errors import CalendlyRefusal, NotFound, PermissionDenied, RateLimited, Unreachable, UpstreamError
from calendly.identifiers import InvalidIdentifier, OrganizationId, ScheduledEventId, UserId
from calendly.side_by_side import side_by_side
from tools.answers.shown import shown
from tools.answers.size_limit import MOST_TOKENS, row_cost
from tools.answers.views import Attendee, Meeting, MeetingWithInvitees
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.fields import LARGEST_PAGE
from tools.times import sent_time
from tools.toolset.declaring import Call
from tools.toolset.wording import one_line
from tools.workflows.continuing import ENOUGH_TIME, Continued, Missing, Position

_AT_ONCE: Final = 10
_LONGEST: Final = 250
MOST_LOOKED_AT: Final = 300
"""Most meetings of one call that reads their invitees."""

MOST_SHOWN: Final = 10
"""Most invitees in one row."""

InviteeStatus = Literal["active", "canceled"]
CANCELED: Final = "canceled"


class MeetingsFound(Continued, total=False):
    """Meetings with their invitees."""

    collection: list[MeetingWithInvitees]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The meetings to look at.

    Attributes:
        start: The first start.
        end: The end of the range of starts, exclusive.
        user: Their host.
        organization: Their organization, for meetings of all hosts.
        status: The status of their invitees, None for any: one can cancel while the meeting goes on.
        invitee_email: The address of an invitee, None for any.
        goes_back: The latest come first.
    """

    start: datetime
    end: datetime
    user: UserId | None = None
    organization: OrganizationId | None = None
    status: InviteeStatus | None = None
    invitee_email: str | None = None
    goes_back: bool = False


@dataclass(slots=True)
class Found:
    """What was found.

    Attributes:
        place: How far the search came.
        rows: The meetings that were wanted.
        missing: What could not be read.
        tokens: How many tokens the rows take, roughly.
        looked_at: How many meetings were looked at.
        people: How many invitees were looked at.
        is_done: The range was searched to its end.
    """

    place: Position
    rows: list[MeetingWithInvitees] = field(default_factory=list[MeetingWithInvitees])
    missing: list[Missing] = field(default_factory=list[Missing])
    tokens: int = 0
    looked_at: int = 0
    people: int = 0
    is_done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MeetingChoice:
    """What to take of the meetings.

    Attributes:
        keeps: The row for a meeting that was read; None to leave it out. Without `invitees` those are not known.
        wants: Whether a meeting's invitees are to be read.
        invitee_pages: How many pages of invitees to read of each, 0 for none.
        most: How many rows to take.
        most_looked_at: How many meetings to look at; a further call continues.
        fills: The rows themselves are answered, so none is read that will not fit.
    """

    keeps: Callable[[MeetingWithInvitees], MeetingWithInvitees | None]
    wants: Callable[[Meeting], bool] = lambda _: True
    invitee_pages: int = 1
    most: int = MOST_LOOKED_AT
    most_looked_at: int = MOST_LOOKED_AT
    fills: bool = True


async def look_through(call: Call, asked: Range, found: Found, selection: MeetingChoice) -> None:
    """Read meetings with their invitees in order, until the end, or until there is enough or time runs short.

    Args:
        call: The call of the workflow.
        asked: Which meetings.
        found: Where to begin, and what it is added to.
        selection: What to take of them.

    Raises:
        CalendlyError, ToolError: The first page could not be read.
    """
    try:
        async for batch, is_last in _batches(call, asked, found.place):
            taken = await _take(call, batch, asked, found, selection)
            found.is_done = is_last and taken == len(batch)
            await call.caller.report(
                f"{found.looked_at} meetings looked at, until {found.place.start:%Y-%m-%d %H:%M} UTC"
            )
            if _is_enough(found, selection) or call.caller.time_left() < ENOUGH_TIME:
                return
    except (RateLimited, UpstreamError, Unreachable):
        if not found.looked_at:
            raise


def _is_enough(found: Found, selection: MeetingChoice) -> bool:
    return (
        len(found.rows) >= selection.most
        or found.looked_at >= selection.most_looked_at
        or (selection.fills and found.tokens > MOST_TOKENS)
    )


async def _take(call: Call, batch: Sequence[Meeting], asked: Range, found: Found, selection: MeetingChoice) -> int:
    """Read the invitees of some meetings and add the rows that are still wanted. Returns how many it looked at."""
    chosen = [event for event in batch if selection.wants(event) and _may_have(event, asked.status)]
    readings = await side_by_side([partial(_reading, call, event, asked, selection.invitee_pages) for event in chosen])
    by_event = {id(event): reading for event, reading in zip(chosen, readings, strict=True)}
    for number, event in enumerate(batch):
        if len(found.rows) >= selection.most:
            return number
        found.looked_at += 1
        found.place = found.place.past(id_of(event), starts(event))
        reading = by_event.get(id(event))
        if reading is not None:
            found.people += len(reading.row.get("invitees", []))
            found.missing += reading.missing
            row = selection.keeps(reading.row)
            if row is not None:
                found.rows.append(row)
            if row is not None and selection.fills:
                found.tokens += row_cost(json.dumps(shown(MeetingWithInvitees, row), ensure_ascii=False))
    return len(batch)


@dataclass(slots=True)
class _Reading:
    """A meeting as it was read.

    Attributes:
        row: The meeting.
        missing: What could not be read of it.
    """

    row: MeetingWithInvitees
    missing: list[Missing] = field(default_factory=list[Missing])


async def _reading(call: Call, event: Meeting, asked: Range, pages: int) -> _Reading:
    """Read the invitees of a meeting. One that cannot be read does not lose the rest."""
    if not pages:
        return _Reading(_row(event))
    try:
        return await _with_invitees(call, event, asked, pages)
    except (NotFound, PermissionDenied, UpstreamError) as refused:
        return _Reading(_row(event), [_missing(event, _why(refused))])


async def _with_invitees(call: Call, event: Meeting, asked: Range, pages: int) -> _Reading:
    try:
        identifier = ScheduledEventId.parse(event.get("uri") or "")
    except InvalidIdentifier:
        return _Reading(_row(event), [_missing(event, "Calendly does not say which it is.")])
    page = await call.via(list_event_invitees)(
        identifier,
        status="active" if asked.status == "active" and asked.invitee_email else None,
        email=asked.invitee_email,
        count=LARGEST_PAGE,
        max_pages=pages,
    )
    people = [models.read(Attendee, row) for row in page.get("collection", [])]
    row: MeetingWithInvitees = {**_row(event), "invitees": people}
    token = page.get("pagination", {}).get("next_page_token")
    if token is None:
        return _Reading(row)
    rest = (
        f"Only its first {len(people)} invitees were looked at; list_event_invitees with page_token={token} has more."
    )
    return _Reading(row, [_missing(event, rest)])


def _row(event: Meeting) -> MeetingWithInvitees:
    join_url = (event.get("location") or {}).get("join_url")
    return models.read(MeetingWithInvitees, {**event, **({"join_url": join_url} if join_url else {})})


def _missing(event: Meeting, why: str) -> Missing:
    return {"uri": event.get("uri") or "", "name": event.get("name") or "", "why": why}


def _why(refused: CalendlyRefusal) -> str:
    return f"Its invitees could not be read: {answer_of(refused)}"


def answer_of(refused: CalendlyRefusal) -> str:
    """Return what Calendly answered, as one line."""
    return one_line(
        f"Calendly answered {refused.status} {refused.message or refused.title or refused.reason}", _LONGEST
    )


async def _batches(call: Call, asked: Range, place: Position) -> AsyncIterator[tuple[list[Meeting], bool]]:
    """Yield the meetings from a position, a few at a time, and whether they are the last."""
    first, last = (asked.start, place.start) if asked.goes_back else (place.start, asked.end)
    token: str | None = None
    while True:
        page = await call.via(list_scheduled_events)(
            user=asked.user,
            organization=asked.organization,
            status="active" if asked.status == "active" else None,
            invitee_email=asked.invitee_email,
            min_start_time=first,
            max_start_time=last,
            sort="start_time:desc" if asked.goes_back else "start_time:asc",
            count=LARGEST_PAGE,
            page_token=token,
        )
        rows = [row for row in page.get("collection", []) if _is_new(row, asked, place)]
        token = page.get("pagination", {}).get("next_page_token")
        for end in range(_AT_ONCE, max(len(rows), 1) + _AT_ONCE, _AT_ONCE):
            yield rows[end - _AT_ONCE : end], token is None and end >= len(rows)
        if token is None:
            return


def _is_new(event: Meeting, asked: Range, place: Position) -> bool:
    """Return whether a meeting is in the range and was not looked at before."""
    start = starts(event)
    if start is None:
        return True
    is_ahead = start < place.start if asked.goes_back else start > place.start
    return asked.start <= start < asked.end and (is_ahead or (start == place.start and id_of(event) not in place.given))


def _may_have(event: Meeting, status: InviteeStatus | None) -> bool:
    """Return whether a meeting can have invitees of a status. Calendly counts the canceled ones in the total."""
    if status != CANCELED or event.get("status") == CANCELED:
        return True
    counter = event.get("invitees_counter") or {}
    return counter.get("total") is None or counter.get("total") != counter.get("active")


def after(batch: Sequence[Meeting], place: Position) -> Position:
    """Return the position after some meetings."""
    return reduce(lambda reached, event: reached.past(id_of(event), starts(event)), batch, place)


def at_most_shown(row: MeetingWithInvitees) -> MeetingWithInvitees:
    """Return a row with ten of its invitees, the attending ones first, and how many there are."""
    people = row.get("invitees")
    if people is None:
        return row
    total = max(len(people), (row.get("invitees_counter") or {}).get("total") or 0)
    if total <= MOST_SHOWN:
        return row
    shown = sorted(people, key=lambda invitee: is_canceled(row, invitee))[:MOST_SHOWN]
    return {**row, "invitees": shown, "invitees_total": total, "invitees_shown": len(shown)}


def is_canceled(event: Meeting, invitee: Attendee) -> bool:
    """Return whether an invitee is canceled, alone or with the whole meeting."""
    return CANCELED in {event.get("status"), invitee.get("status")}


def starts(event: Meeting) -> datetime | None:
    """Return the start of a meeting, None if Calendly does not say."""
    return sent_time(event.get("start_time"))


def id_of(event: Meeting) -> str:
    """Return the id of a meeting, empty if Calendly does not say."""
    return (event.get("uri") or "").rpartition("/")[2]
