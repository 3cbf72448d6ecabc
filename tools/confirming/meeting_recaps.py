"""The questions for meeting recaps: which meeting's, its texts before and after. No condition limits these calls."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from calendly.identifiers import MeetingRecapId
from tools.answers.views import DecidedFirst
from tools.confirming.questions import LONGEST_TEXT, WriteEffects, about, if_allowed, local_time
from tools.endpoints.invitees import get_event_invitee
from tools.endpoints.meeting_recaps import delete_meeting_recap, get_meeting_recap, update_meeting_recap
from tools.times import sent_time
from tools.toolset.declaring import Call
from tools.toolset.question import Fact, Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of

_LABELS: Final = {"summary_md": "Summary", "action_items_md": "Action items", "discussion_md": "Discussion"}


async def _update(
    call: Call, meeting_recap: MeetingRecapId, clear: Sequence[str] | None = None, **texts: str | None
) -> Question:
    recap = await _recap(call, meeting_recap)
    tells = call.allows(get_event_invitee)
    facts: list[Fact] = []
    for field, label in _LABELS.items():
        text, now = texts.get(field), recap.get(field)
        if text is not None or field in (clear or ()):
            facts += [stored(f"{label}, now", now, most=LONGEST_TEXT)] if tells and isinstance(now, str) else []
            then = f"{label}, then"
            facts.append(stated(then, "nothing") if text is None else typed(then, text, most=LONGEST_TEXT))
    return Question("Change the recap of a meeting", (*await _facts(call, meeting_recap, recap), *facts))


async def _delete(call: Call, meeting_recap: MeetingRecapId) -> Question:
    facts = await _facts(call, meeting_recap, await _recap(call, meeting_recap))
    return Question("Delete the recap of a meeting", facts, ("No call of Calendly's API brings it back.",))


async def _recap(call: Call, meeting_recap: MeetingRecapId) -> DecidedFirst:
    await about(call, get_meeting_recap, meeting_recap)
    return await if_allowed(call.via(get_meeting_recap)(meeting_recap)) or {}


async def _facts(call: Call, meeting_recap: MeetingRecapId, recap: DecidedFirst) -> tuple[Fact, ...]:
    start = sent_time(recap.get("start_time"))
    when = await local_time(call, start) if start else None
    which = stored("Meeting", recap.get("name")) if recap.get("name") else stated("Recap", str(meeting_recap))
    return (which, *([stated("When", when)] if when else []))


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(update_meeting_recap): WriteEffects(_update),
        tool_of(delete_meeting_recap): WriteEffects(_delete),
    }
)
