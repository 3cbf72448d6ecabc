"""Counts of booked meetings, which Calendly's API does not offer."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Annotated, Final, cast

from pydantic import Field
from typing_extensions import TypedDict

from calendly.errors import CalendlyError, RateLimited
from calendly.identifiers import InvalidIdentifier, ScheduledEventId, UserId
from calendly.models import Invitee
from calendly.side_by_side import side_by_side
from tools.answers.views import Meeting
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.fields import (
    ENOUGH_PAGES,
    LARGEST_PAGE,
    EventTypeRef,
    OrganizationRef,
    RangeTime,
    TimeZone,
    UserRef,
    at_most,
)
from tools.times import zone_for, zone_needed
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.lists import LeftOut
from tools.toolset.searched import EmptyBecause, Searched, searched, whose
from tools.toolset.wording import one_line
from tools.workflows.continuing import ENOUGH_TIME, Continue, Position
from tools.workflows.counting import (
    MISSED,
    NOBODY,
    NOT_MARKED,
    TIMES,
    UNKNOWN,
    CountedMeeting,
    GroupBy,
    canceler_of,
    invitees_of,
    rows_of,
    total_of,
)
from tools.workflows.default_range import note_of_default, with_defaults
from tools.workflows.meetings import CANCELED, Found, InviteeStatus, MeetingChoice, Range, after, look_through, starts

summary = Workflows()

_OF_MEETINGS: Final = (
    "Whole meetings that were canceled: find_bookings with this status also has who canceled alone in one that goes on."
)
_LONGEST_RANGE: Final = timedelta(days=3660)
_MOST_MEETINGS: Final = 5_000
_MOST_UNREAD: Final = 10
_LONGEST_REASON: Final = 250
_AT_ONCE: Final = 10


def _audited(call: AuditedArguments) -> str:
    return f"the bookings of {call.owner()}{call.span('start_time', 'end_time')}"


class BookingsSummary(TypedDict, total=False):
    """How many meetings there are, in all and by group."""

    meetings: int
    invitees: Annotated[int, Field(description="still booked")]
    invitees_canceled: Annotated[int, Field(description="who canceled, or whose meeting was canceled")]
    columns: list[str]
    rows: list[list[str | int]]
    rows_add_up_to: Annotated[str, Field(description="why to more than there are")]
    searched: Searched
    empty_because: EmptyBecause
    unread: Annotated[list[str], Field(description="meetings without no-show marks, and why")]
    without: Annotated[list[str], Field(description="tools that may not be called, so what they tell is missing")]
    left_out: LeftOut
    continue_from: Annotated[str, Field(description="there is more: call again with it, and add the counts up")]


@summary.workflow(
    title="Summarize bookings",
    needs=(list_scheduled_events,),
    uses=(list_event_invitees,),
    audit=Sentence("count", _audited),
)
async def summarize_bookings(
    call: Call,
    group_by: Annotated[list[GroupBy], at_most(3), Field(description="up to 3")] | None = None,
    start_time: Annotated[RangeTime, Field(description="ISO 8601; default: 30 days ago")] | None = None,
    end_time: Annotated[RangeTime, Field(description="ISO 8601; default: in 90 days")] | None = None,
    event_type: EventTypeRef | None = None,
    status: Annotated[InviteeStatus, Field(description="of the meeting")] | None = None,
    user: UserRef | None = None,
    organization: OrganizationRef | None = None,
    timezone: TimeZone | None = None,
    continue_from: Continue = None,
) -> BookingsSummary:
    """Count booked meetings and their invitees, by host, event type, day, no-show and so on. Default: yours.

    Makes one call a hundred meetings; no_show adds one a past meeting, canceled_by one where several were invited.
    """
    groups = list(dict.fromkeys(group_by or []))
    now = call.caller.now()
    start, end, _ = await with_defaults(call, start_time, end_time, timezone, now=now, longest=_LONGEST_RANGE)
    zone = await _zone(call, timezone, groups)
    asked = Range(
        start=start,
        end=end,
        user=user if organization else user or UserId.ME,
        organization=organization,
        status=status,
    )
    began = Position.parse(continue_from) if continue_from else Position(start)
    found = Found(began)
    await look_through(call, asked, found, _selection(event_type, status))
    reading = _Reading(call, now, groups, call.allows(list_event_invitees))
    goes_on = await reading.read(found.rows, began) or (None if found.is_done else found.place)
    notes = [note_of_default(start_time, end_time), _OF_MEETINGS if status == CANCELED else None]
    answer: BookingsSummary = {
        **_counted(reading.counted, groups, zone),
        "searched": _searched(
            asked, began.start, goes_on.start if goes_on else end, zone, " ".join(filter(None, notes))
        ),
        **reading.told(),
    }
    if goes_on:
        return {**answer, "continue_from": goes_on.token()}
    is_empty = not answer.get("meetings") and not answer.get("invitees_canceled")
    return {**answer, "empty_because": _nothing(asked, event_type)} if is_empty else answer


def _searched(asked: Range, start: datetime, end: datetime, zone: tzinfo, note: str) -> Searched:
    looked = searched(
        whose(asked.user, asked.organization),
        status=asked.status,
        start=start.astimezone(zone),
        end=end.astimezone(zone),
        note=note or None,
    )
    return {**looked, "timezone": str(zone)}


def _nothing(asked: Range, event_type: EventTypeRef | None) -> str:
    of = f" of the event type {event_type.told}" if event_type else ""
    return f"No meeting{of}{f' with status {asked.status}' if asked.status else ''} begins in that range."


def _selection(event_type: EventTypeRef | None, status: InviteeStatus | None) -> MeetingChoice:
    return MeetingChoice(
        keeps=lambda row: row,
        wants=lambda event: (
            (event_type is None or event.get("event_type") == event_type.uri)
            and (status is None or event.get("status") == status)
        ),
        invitee_pages=0,
        most=_MOST_MEETINGS,
        most_looked_at=_MOST_MEETINGS,
        fills=False,
    )


async def _zone(call: Call, timezone: str | None, groups: Sequence[GroupBy]) -> tzinfo:
    if TIMES.isdisjoint(groups):
        return await zone_for(call.caller, timezone) or UTC
    return await zone_needed(call.caller, timezone)


def _counted(meetings: Sequence[CountedMeeting], groups: Sequence[GroupBy], zone: tzinfo) -> BookingsSummary:
    total = total_of(meetings)
    answer: BookingsSummary = {
        "meetings": total.meetings,
        "invitees": total.invitees,
        "invitees_canceled": total.canceled,
    }
    if not groups:
        return answer
    counts = ("meetings", "invitees", "invitees_canceled")
    rows = rows_of(meetings, groups, zone)
    answer = {**answer, "columns": [*groups, *counts], "rows": rows}
    in_rows = sum(cast("int", row[len(groups)]) for row in rows)
    return {**answer, "rows_add_up_to": _more(in_rows, total.meetings, groups)} if in_rows > total.meetings else answer


def _more(in_rows: int, meetings: int, groups: Sequence[GroupBy]) -> str:
    """Say why the rows count more meetings than there are."""
    several = {
        "host": "with several hosts",
        "no_show": "of which some invitees are marked and others are not",
        "canceled_by": "of which some invitees canceled and others did not",
    }
    which = " or ".join(several[name] for name in groups if name in several)
    return f"{in_rows} for {meetings} meetings: one {which} counts in each of its rows. Do not add the rows up."


@dataclass(slots=True)
class _Reading:
    """Reads who was marked as a no-show, and who canceled, where that is asked for.

    Attributes:
        call: The call of the workflow.
        now: Meetings that begin later have no marks yet.
        groups: What is asked for.
        may_read: Whether the agent may read invitees.
        counted: The meetings that count.
        unread: Whose invitees could not be read, and why.
    """

    call: Call
    now: datetime
    groups: Sequence[GroupBy]
    may_read: bool
    counted: list[CountedMeeting] = field(default_factory=list[CountedMeeting])
    unread: list[str] = field(default_factory=list[str])

    async def read(self, events: Sequence[Meeting], began: Position) -> Position | None:
        """Read what is asked for of meetings in order, which were listed from a position.

        Returns:
            Where to continue if time or the rate limit ended it, None if it read all.

        Raises:
            RateLimited: Nothing could be read.
        """
        for first in range(0, len(events), _AT_ONCE):
            if first and self._reads and self.call.caller.time_left() < ENOUGH_TIME:
                return after(events[:first], began)
            try:
                parts = [partial(self._counted, event) for event in events[first : first + _AT_ONCE]]
                self.counted += await side_by_side(parts)
            except RateLimited:
                if not first:
                    raise
                return after(events[:first], began)
        return None

    def told(self) -> BookingsSummary:
        """Return the fields that say what is missing."""
        answer: BookingsSummary = {"unread": self.unread[:_MOST_UNREAD]} if self.unread else {}
        if self._reads and not self.may_read:
            answer["without"] = [list_event_invitees.__name__]
        return answer

    @property
    def _reads(self) -> bool:
        return not {"no_show", "canceled_by"}.isdisjoint(self.groups)

    async def _counted(self, event: Meeting) -> CountedMeeting:
        booked, canceled = invitees_of(event)
        marks = await self._marks(event, booked)
        kept = {mark: number for mark, number in marks.items() if number or not booked}
        return CountedMeeting(event, kept, await self._cancelers(event, canceled))

    async def _marks(self, event: Meeting, booked: int) -> Mapping[str, int]:
        """Return how many invitees are marked as no-shows, and how many are not."""
        start = starts(event)
        if "no_show" not in self.groups or not booked or (start is not None and start > self.now):
            return {NOT_MARKED: booked}
        people = await self._invitees(event, "active")
        missed = sum(bool(invitee.get("no_show")) for invitee in people)
        return {MISSED: missed, NOT_MARKED: len(people) - missed, UNKNOWN: max(0, booked - len(people))}

    async def _cancelers(self, event: Meeting, canceled: int) -> Mapping[str, int]:
        """Count the canceled invitees by who canceled: in a group, each may have canceled alone."""
        goes_on = event.get("status") == "active"
        cancelers = Counter({NOBODY: 0} if goes_on else {})
        if canceled and "canceled_by" in self.groups and (goes_on or canceled > 1):
            cancelers.update(map(canceler_of, await self._invitees(event, CANCELED)))
        rest = canceled - cancelers.total()
        if rest > 0 or not cancelers:
            cancelers[canceler_of(event)] += max(0, rest)
        return cancelers

    async def _invitees(self, event: Meeting, status: InviteeStatus) -> list[Invitee]:
        """Return the invitees of a status, none if they may not or cannot be read."""
        if not self.may_read:
            return []
        try:
            page = await self.call.via(list_event_invitees)(
                ScheduledEventId.parse(event.get("uri") or ""),
                status=status,
                count=LARGEST_PAGE,
                max_pages=ENOUGH_PAGES,
            )
        except RateLimited:
            raise
        except (CalendlyError, InvalidIdentifier) as problem:
            self.unread.append(one_line(f"{event.get('uri')}: {problem}", _LONGEST_REASON))
            return []
        return page.get("collection", [])
