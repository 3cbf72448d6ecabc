"""What a change of working hours touches besides the hours: who follows them, and the meetings in closed time."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Annotated, Final, NotRequired
from zoneinfo import ZoneInfo

from pydantic import Field
from typing_extensions import TypedDict

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, InvalidIdentifier, ScheduledEventId, ScheduleId, UserId
from calendly.models.personal import PERSONAL
from calendly.side_by_side import side_by_side
from tools.endpoints.availability import list_user_availability_schedules
from tools.endpoints.event_types.event_types import list_event_types
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE
from tools.times import sent_time
from tools.toolset.declaring import Call
from tools.toolset.errors import ToolError
from tools.toolset.wording import one_line
from tools.workflows.hours.difference import closing, told_date
from tools.workflows.hours.reading import HoursPlan
from tools.working_hours import Span

_LONGEST_MEETING: Final = timedelta(hours=12)
_MOST_PAGES: Final = 3
_MOST_ASKED_ABOUT: Final = 20
"""How many meetings have their invitees read, with one call each."""

_MOST_NAMED: Final = 10


class EventTypeApart(TypedDict):
    """An event type whose hours a change leaves as they are."""

    name: str
    event_type: Annotated[str, Field(description="URI")]
    schedule: NotRequired[Annotated[str, Field(description="the schedule that it uses; none: hours of its own")]]


class MeetingInTheWay(TypedDict):
    """A meeting that is booked in time that closes."""

    name: str
    scheduled_event: Annotated[str, Field(description="URI")]
    when: Annotated[str, Field(description="in the schedule's zone")]
    invitees: NotRequired[Annotated[list[str], PERSONAL, Field(description="who still comes")]]


@dataclass(slots=True)
class HoursSurroundings:
    """What a change touches besides the hours.

    Attributes:
        following: Names of event types whose open times change.
        apart: Event types whose open times do not.
        meetings: What is booked in time that closes.
        unread: What could not be read, in a few words each.
    """

    following: list[str] = field(default_factory=list[str])
    apart: list[EventTypeApart] = field(default_factory=list[EventTypeApart])
    meetings: list[MeetingInTheWay] = field(default_factory=list[MeetingInTheWay])
    unread: list[str] = field(default_factory=list[str])


async def surroundings_of(call: Call, plan: HoursPlan) -> HoursSurroundings:
    """Read what a change touches; what may not be read is named."""
    around = HoursSurroundings()
    for what, function, add in (
        ("which event types follow", list_event_types, _add_event_types),
        ("the meetings in the closed time", list_scheduled_events, _add_meetings),
    ):
        if not (call.for_person or call.allows(function)):
            around.unread.append(what)
            continue
        try:
            await add(call, plan, around)
        except (CalendlyError, ToolError):
            around.unread.append(what)
    return around


async def _add_event_types(call: Call, plan: HoursPlan, around: HoursSurroundings) -> None:
    subject = plan.subject
    if isinstance(subject.identifier, EventTypeId):
        around.following.append(subject.name)
        return
    owner = subject.owner or UserId.ME
    names = subject.schedules or await _schedules(call, owner)
    schedules = [subject.identifier, *_others(names, subject.identifier)]
    everything, *users = await side_by_side(
        [
            partial(_event_types, call, owner, None),
            *(partial(_event_types, call, owner, schedule) for schedule in schedules),
        ]
    )
    by_schedule = {schedule.uri: kinds for schedule, kinds in zip(schedules, users, strict=True)}
    around.following += by_schedule.pop(subject.identifier.uri).values()
    using = {kind: names[schedule] for schedule, kinds in by_schedule.items() for kind in kinds}
    for uri, name in everything.items():
        if uri not in users[0]:
            apart: EventTypeApart = {"name": name, "event_type": uri}
            around.apart.append({**apart, "schedule": using[uri]} if uri in using else apart)


async def _schedules(call: Call, owner: UserId) -> dict[str, str]:
    rows = (await call.via(list_user_availability_schedules)(owner)).get("collection", [])
    return {row.get("uri") or "": row.get("name") or "" for row in rows}


def _others(uris: Iterable[str], own: ScheduleId) -> list[ScheduleId]:
    found: list[ScheduleId] = []
    for uri in uris:
        try:
            found += [other] if (other := ScheduleId.parse(uri)) != own else []
        except InvalidIdentifier:
            continue
    return found


async def _event_types(call: Call, owner: UserId, schedule: ScheduleId | None) -> dict[str, str]:
    """Return the names of a person's active event types by their URI, of one schedule or all."""
    page = await call.via(list_event_types)(
        owner, active=True, user_availability_schedule=schedule, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES
    )
    return {kind.get("uri") or "": one_line(kind.get("name") or "") for kind in page.get("collection", [])}


async def _add_meetings(call: Call, plan: HoursPlan, around: HoursSurroundings) -> None:
    subject = plan.subject
    closed = closing(subject.rules, plan.after, plan.orders, subject.zone, call.caller.now())
    if not closed:
        return
    page = await call.via(list_scheduled_events)(
        subject.owner,
        status="active",
        min_start_time=min(closed).start - _LONGEST_MEETING,
        max_start_time=max(span.end for span in closed),
        sort="start_time:asc",
        count=LARGEST_PAGE,
        max_pages=_MOST_PAGES,
    )
    for event in page.get("collection", []):
        span = _span(event)
        is_meant = isinstance(subject.identifier, ScheduleId) or event.get("event_type") == subject.identifier.uri
        if span and is_meant and any(span.start < other.end and other.start < span.end for other in closed):
            around.meetings.append(
                {
                    "name": one_line(event.get("name") or ""),
                    "scheduled_event": event.get("uri") or "",
                    "when": _when(span, subject.zone),
                }
            )
    if page.get("pagination", {}).get("next_page_token"):
        around.unread.append(f"meetings after the first {_MOST_PAGES * LARGEST_PAGE}")
    await _add_invitees(call, around)


async def _add_invitees(call: Call, around: HoursSurroundings) -> None:
    """Name the invitees of the meetings, and say for which meetings they are left out."""
    first = around.meetings[:_MOST_ASKED_ABOUT] if call.for_person or call.allows(list_event_invitees) else []
    found = await side_by_side([partial(_invitees, call, meeting) for meeting in first])
    for meeting, invitees in zip(first, found, strict=True):
        if invitees is not None:
            meeting["invitees"] = invitees
    if unnamed := sum("invitees" not in meeting for meeting in around.meetings):
        around.unread.append(f"who comes to {unnamed} of the meetings")


async def _invitees(call: Call, meeting: MeetingInTheWay) -> list[str] | None:
    try:
        event = ScheduledEventId.parse(meeting["scheduled_event"])
        page = await call.via(list_event_invitees)(event, status="active", count=LARGEST_PAGE)
    except (CalendlyError, ToolError, InvalidIdentifier):
        return None
    people = page.get("collection", [])
    named = [f"{one_line(one.get('name')) or 'somebody'} ({one_line(one.get('email'))})" for one in people]
    more = len(named) - _MOST_NAMED
    return [*named[:_MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]


def _span(event: models.ScheduledEvent) -> Span | None:
    start, end = sent_time(event.get("start_time")), sent_time(event.get("end_time"))
    return Span(start, end) if start and end else None


def _when(span: Span, zone: ZoneInfo) -> str:
    start, end = span.start.astimezone(zone), span.end.astimezone(zone)
    return f"{told_date(start.date())}, {start:%H:%M}-{end:%H:%M}"
