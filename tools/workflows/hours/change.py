"""Changing working hours: read the schedule, show the difference, write the whole, read it again.

Calendly has no version of a schedule to write against. So the schedule is read again just before it is written, and
after: what somebody else changed meanwhile is told, and not lost in silence.
"""

from dataclasses import replace
from typing import Annotated, Any, Final, Literal, cast

from pydantic import Field
from typing_extensions import TypedDict

from calendly.errors import CalendlyError, OutcomeUnknown, PermissionDenied
from calendly.identifiers import EventTypeId
from tools.bodies import given
from tools.endpoints.availability import get_user_availability_schedule, list_user_availability_schedules
from tools.endpoints.event_types.event_types import get_event_type, list_event_types
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.endpoints.schedules import (
    list_event_type_availability_schedules,
    update_event_type_availability_schedules,
    update_user_availability_schedule,
)
from tools.fields import EventTypeRef, ScheduleRef
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.errors import ToolError
from tools.toolset.wording import one_line
from tools.workflows.hours.asked import Changes
from tools.workflows.hours.difference import HoursDifference
from tools.workflows.hours.reading import HoursPlan, Standing, Subject, not_yours, plan_of, subject_of
from tools.workflows.hours.rules import HoursAgain, undo_of
from tools.workflows.hours.surroundings import EventTypeApart, HoursSurroundings, MeetingInTheWay, surroundings_of

hours = Workflows()

HoursOutcome = Literal["changed", "unchanged", "changed_by_others"]

_PAUSES: Final = (1.0, 2.0, 4.0)
"""Waits in seconds until Calendly shows what was written."""


class HoursUndo(TypedDict, total=False):
    """Arguments of a further call that put the hours back."""

    changes: list[HoursAgain]
    schedule: str
    event_type: str


class HoursChange(TypedDict, total=False):
    """The result of a change of hours."""

    outcome: Annotated[HoursOutcome, Field(description="changed, unchanged or changed_by_others")]
    message: str
    name: Annotated[str, Field(description="of the schedule or event type")]
    timezone: Annotated[str, Field(description="of its hours")]
    difference: list[HoursDifference]
    following: Annotated[list[str], Field(description="event types whose open times changed")]
    apart: Annotated[list[EventTypeApart], Field(description="event types that keep their hours")]
    meetings: Annotated[list[MeetingInTheWay], Field(description="booked in the closed time, not canceled")]
    without: Annotated[list[str], Field(description="what could not be read")]
    next_steps: list[str]
    undo: Annotated[HoursUndo, Field(description="arguments that give the hours back")]


def _audited(call: AuditedArguments) -> str:
    asked = cast("list[dict[str, object]]", call.values.get("changes") or [])
    changes = [f"{change['days']} ({change['hours']})" for change in asked]
    which = f"{call.given('schedule', ' of the schedule {}')}{call.given('event_type', ' of the event type {}')}"
    return f"the working hours{which} on {one_line('; '.join(changes))}"


@hours.workflow(
    title="Change working hours",
    audit=Sentence("change", _audited),
    needs=(
        update_user_availability_schedule,
        update_event_type_availability_schedules,
        list_user_availability_schedules,
    ),
    uses=(
        get_user_availability_schedule,
        list_event_type_availability_schedules,
        get_event_type,
        list_event_types,
        list_scheduled_events,
        list_event_invitees,
    ),
)
async def change_working_hours(
    call: Call,
    changes: Changes,
    schedule: Annotated[ScheduleRef, Field(description="name or URI; default: your default one")] | None = None,
    event_type: Annotated[EventTypeRef, Field(description="change its own hours instead")] | None = None,
) -> HoursChange:
    """Change your working hours on dates or weekdays: other hours, none (block a day, time off), or weekly again.

    Days and hours are those of the schedule's own zone. Shows before and after, and booked meetings in closed time,
    which stay. To undo, call again with undo of the answer.
    """
    await call.precheck()
    event_type = event_type and await _with_name(call, event_type)
    plan = await plan_of(call, changes, schedule, event_type)
    if plan.wanted == plan.old:
        return _told(plan, "unchanged", "The hours are so already; nothing was written.")
    call = await call.authorize(plan.found)
    if not call.is_dry_run:
        again = await plan_of(call, changes, schedule, event_type)
        if again.found != plan.found:
            return _told(again, "unchanged", _CHANGED_MEANWHILE)
        plan = again
    return await _settled(call, plan, await _write(call, plan))


async def _with_name(call: Call, event_type: EventTypeId) -> EventTypeId:
    """Return an event type with its name, where that may be read: one that is given by its URI has none yet."""
    if event_type.called or not call.allows(get_event_type):
        return event_type
    try:
        name = (await call.via(get_event_type)(event_type)).get("name")
    except (CalendlyError, ToolError):
        return event_type
    return replace(event_type, called=one_line(name) or None)


_CHANGED_MEANWHILE: Final = (
    "Somebody changed these hours in the meantime, so nothing was written. The difference is what this call would do "
    "now: if it is still wanted, call again."
)
_NOT_CHANGED: Final = "The hours are not changed as far as it shows."
_NOT_SHOWN_YET: Final = "Calendly took the change, and does not show it yet."
_BY_OTHERS: Final = "The hours were written, and somebody else changed them at once: the difference is what stands now."
_MOVE_OR_CANCEL: Final = (
    "The meetings stay booked. Ask the user about each: reschedule_scheduled_event moves it, cancel_scheduled_event "
    "cancels it."
)
_OWN_HOURS: Final = "Event types in apart keep their hours: repeat the changes with event_type, if the user wants."
_OTHER_SCHEDULE: Final = "Those in apart with a schedule follow that one: repeat the changes with schedule."


_NO_LINK: Final = (
    "undo gives the hours back, not that link, which Calendly's API cannot make: a person makes it at calendly.com, in "
    "the Availability section of the event type."
)


async def _write(call: Call, plan: HoursPlan) -> OutcomeUnknown | None:
    """Send the whole set of rules. Returns an unknown outcome, which reading the hours again settles, else None.

    Raises:
        DryRun: Always in a dry run.
        PermissionDenied: It is another person's.
    """
    subject, sent = plan.subject, cast("Any", plan.after.sent(plan.today))
    try:
        if isinstance(subject.identifier, EventTypeId):
            me = (await call.caller.identity()).user
            user = subject.owner if subject.owner != me else None
            rule = cast("Any", given({"timezone": subject.timezone, "rules": sent, "user": user}))
            await call.via(update_event_type_availability_schedules)(subject.identifier, rule)
        else:
            await call.via(update_user_availability_schedule)(subject.identifier, rules=sent)
    except OutcomeUnknown as unknown:
        return unknown
    except PermissionDenied as refused:
        raise not_yours(refused) from None
    return None


async def _settled(call: Call, plan: HoursPlan, unknown: OutcomeUnknown | None) -> HoursChange:
    """Read again until Calendly shows other hours than before, and return the answer.

    Args:
        call: The call that changed them.
        plan: The change.
        unknown: How the writing ended where that is not known.

    Raises:
        OutcomeUnknown: It is not known, and the old hours are there, or cannot be read.
    """
    wanted = (plan.subject.timezone, plan.after.effective(plan.today))
    old = (plan.subject.timezone, plan.subject.rules.effective(plan.today))
    found, shown = await _read_again(call, plan)
    for pause in _PAUSES:
        if shown == wanted or shown not in {None, old} or not await call.caller.pause(pause):
            break
        found, shown = await _read_again(call, plan)
    if shown == wanted:
        return _whole(plan, await surroundings_of(call, plan), _done(plan, found))
    if found is None or shown == old:
        if unknown is None:
            return _whole(plan, await surroundings_of(call, plan), f"{_done(plan, None)} {_NOT_SHOWN_YET}")
        told = unknown.retold(f"{unknown.reason} {_NOT_CHANGED}")
        told.goes_on = True
        raise told
    now = replace(plan, after=found.rules)
    return {**_told(now, "changed_by_others", _BY_OTHERS), "timezone": found.timezone}


async def _read_again(call: Call, plan: HoursPlan) -> tuple[Subject | None, Standing | None]:
    """Return what has the hours and what stands now, whatever rules say it; None where it cannot be read."""
    try:
        found = await subject_of(call, plan.subject.identifier)
    except (CalendlyError, ToolError):
        return None, None
    return found, (found.timezone, found.rules.effective(plan.today))


def _done(plan: HoursPlan, found: Subject | None) -> str:
    """Say what was done; of an event type also whether it still follows its schedule, by what was `found` since."""
    followed = plan.subject.follows
    if not isinstance(plan.subject.identifier, EventTypeId):
        return "The hours are changed."
    if followed is None:
        return "Only this event type is changed. It had hours of its own before, too."
    goes_on = "may follow it no more" if found is None or found.follows else "follows it no more"
    return f"Only this event type is changed. It followed the schedule {followed}, and {goes_on}. {_NO_LINK}"


def _told(plan: HoursPlan, outcome: HoursOutcome, message: str) -> HoursChange:
    return {
        "outcome": outcome,
        "message": message,
        "name": plan.subject.name,
        "timezone": plan.subject.timezone,
        "difference": plan.difference,
    }


def _whole(plan: HoursPlan, around: HoursSurroundings, message: str) -> HoursChange:
    steps = [
        *([_MOVE_OR_CANCEL] if around.meetings else []),
        *([_OWN_HOURS] if any("schedule" not in kind for kind in around.apart) else []),
        *([_OTHER_SCHEDULE] if any("schedule" in kind for kind in around.apart) else []),
    ]
    identifier = plan.subject.identifier
    which = "event_type" if isinstance(identifier, EventTypeId) else "schedule"
    answer: HoursChange = {
        **_told(plan, "changed", message),
        "following": around.following,
        "apart": around.apart,
        "meetings": around.meetings,
        "without": around.unread,
        "next_steps": steps,
    }
    undo = {"changes": undo_of(plan.subject.rules, plan.orders), which: identifier.uri}
    return cast("HoursChange", {**{name: value for name, value in answer.items() if value}, "undo": undo})
