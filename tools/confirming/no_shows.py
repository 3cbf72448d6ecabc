"""The questions for no-show marks. No condition limits these calls."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from calendly.identifiers import InvalidIdentifier, InviteeId, NoShowId, ScheduledEventId
from tools.confirming.questions import WriteEffects, about, if_allowed, local_time
from tools.endpoints.invitees import get_event_invitee
from tools.endpoints.no_shows import create_invitee_no_show, delete_invitee_no_show, get_invitee_no_show
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.times import Day
from tools.toolset.declaring import Call
from tools.toolset.question import Fact, Question, stated, stored
from tools.toolset.tool import Tool, tool_of
from tools.workflows.meetings import starts
from tools.workflows.no_shows import mark_no_shows
from tools.workflows.who_missed import Sought, Target, targets

_MARK: Final = "Mark as a no-show"
_UNMARK: Final = "Take back the mark of a no-show"


async def _mark_several(
    call: Call,
    invitees: Sequence[str],
    scheduled_event: ScheduledEventId | None = None,
    start_time: datetime | Day | None = None,
    end_time: datetime | Day | None = None,
    unmark: bool = False,
    timezone: str | None = None,
) -> Question:
    sought = Sought(
        invitees=invitees, scheduled_event=scheduled_event, start=start_time, end=end_time, timezone=timezone
    )
    due = [target for target in await targets(call, sought) if (target.mark is None) is not unmark]
    by_meeting: dict[str, list[Target]] = {}
    for target in due:
        by_meeting.setdefault(target.identifier.scheduled_event or "", []).append(target)
    facts = [fact for group in by_meeting.values() for fact in await _meeting_facts(call, group)]
    return Question(_UNMARK if unmark else _MARK, tuple(facts))


async def _meeting_facts(call: Call, group: Sequence[Target]) -> Sequence[Fact]:
    event = group[0].event
    when = await local_time(call, starts(event))
    who = stored("Invitees" if len(group) > 1 else "Invitee", *(target.invitee.get("name") for target in group))
    return (stored("Meeting", event.get("name")), *([stated("When", when)] if when else []), who)


async def _mark(call: Call, invitee: InviteeId) -> Question:
    await about(call, get_event_invitee, invitee)
    return Question(_MARK, await _facts(call, invitee))


async def _unmark(call: Call, no_show: NoShowId) -> Question:
    await about(call, get_invitee_no_show, no_show)
    found = await if_allowed(call.via(get_invitee_no_show)(no_show))
    try:
        invitee = InviteeId.parse((found or {}).get("invitee") or "")
    except InvalidIdentifier:
        return Question(_UNMARK, (stated("Mark", str(no_show)),))
    return Question(_UNMARK, await _facts(call, invitee))


async def _facts(call: Call, invitee: InviteeId) -> tuple[Fact, ...]:
    person = await if_allowed(call.via(get_event_invitee)(invitee))
    event = await if_allowed(call.via(get_scheduled_event)(ScheduledEventId(invitee.scheduled_event or "")))
    when = await local_time(call, starts(event)) if event else None
    return (
        *([stored("Meeting", event.get("name"))] if event else []),
        *([stated("When", when)] if when else []),
        stored("Invitee", person.get("name")) if person else stated("Invitee", str(invitee)),
    )


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_invitee_no_show): WriteEffects(_mark),
        tool_of(delete_invitee_no_show): WriteEffects(_unmark),
        tool_of(mark_no_shows): WriteEffects(_mark_several),
    }
)
