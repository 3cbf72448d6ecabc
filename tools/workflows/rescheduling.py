"""Rescheduling. Calendly has no call for it: the new meeting is booked and the old one canceled.

The invitee always keeps a meeting, and the same call again finishes what an earlier one began,
whatever failed: `tools.workflows.promise` keeps how far it came, and Calendly says what is there.
"""

from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from calendly import models
from calendly.errors import CalendlyError, InvalidArgument, OutcomeUnknown
from calendly.identifiers import InvalidIdentifier, ScheduledEventId
from tools.bodies import given
from tools.booking.booked import Booked, with_meeting
from tools.booking.checks import hosts_take_turns, stays_open
from tools.booking.create_event_invitee import booking_start, create_event_invitee
from tools.booking.lookup import booked_already, is_absent, look_for
from tools.booking.remembered import LISTED_BY_THEN, forget
from tools.booking.survey import open_times
from tools.endpoints.availability import (
    list_event_type_available_times,
    list_user_availability_schedules,
    list_user_busy_times,
)
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event
from tools.fields import Reason, ScheduledEventRef, Time, TimeZone
from tools.times import own_timezone, parse_time, sent_time, wire, zone_if_known
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.errors import ArgumentError, ToolError
from tools.workflows.carried_over import carry_over
from tools.workflows.in_the_way import objection, overlaps
from tools.workflows.meeting_to_move import LOOK_FIRST, check, event_type_of, meeting_to_move, not_movable
from tools.workflows.moved_on import moved_on
from tools.workflows.moving import (
    Move,
    Rescheduling,
    book_after,
    book_first,
    booked_back,
    cancel_first,
    finish,
    goes_on,
    known_from,
)
from tools.workflows.promise import Progress, Promise
from tools.workflows.refused import is_of_what_goes_along, told

rescheduling = Workflows()

_NEVER_KNOWN: Final = (
    "Whether an earlier call booked the new time cannot be learned: hosts take turns, and only owners and admins may "
    "list the meetings of all. Ask whether the invitee got a mail about it."
)
_NOTHING_CHANGED: Final = "Nothing was changed. At reschedule_url a person can move it."
_OLD_STANDS: Final = (
    "The old meeting stands. If the new time is booked, cancel the old one with cancel_scheduled_event; if not, a "
    "person can move it at reschedule_url."
)


def _audited(call: AuditedArguments) -> str:
    return f"{call.filled('the scheduled event {scheduled_event}')} to another time{call.moment('start_time')}"


@rescheduling.workflow(
    title="Reschedule a meeting",
    audit=Sentence("reschedule", _audited),
    needs=(create_event_invitee, cancel_scheduled_event, get_scheduled_event, list_event_invitees),
    uses=(
        get_event_type,
        list_event_type_available_times,
        list_user_busy_times,
        list_user_availability_schedules,
    ),
)
async def reschedule_scheduled_event(
    call: Call,
    scheduled_event: ScheduledEventRef,
    start_time: Annotated[Time, Field(description="ISO 8601: the new one, an open time")],
    reason: Annotated[Reason, Field(description="the invitee reads it")] | None = None,
    timezone: TimeZone | None = None,
) -> Rescheduling:
    """Reschedule a booked meeting of one invitee: book the new time, then cancel the old. Cannot be undone.

    Calendly has no reschedule call, so the invitee gets two mails, a new booking and a cancellation: say so before.
    Refuses group meetings. If anything fails, call again with the same arguments: it finishes what was begun.
    """
    await call.precheck()
    old = await meeting_to_move(call, scheduled_event)
    start = await booking_start(call, start_time, timezone, old.invitee.get("timezone"))
    kind = await event_type_of(call, old)
    zone = old.invitee.get("timezone") or await own_timezone(call.caller) or "UTC"
    move = Move(
        call=call,
        scheduled_event=scheduled_event,
        old=old,
        kind=kind,
        start=start,
        reason=reason,
        over=carry_over(old.event, old.invitee, kind, zone),
        promise=Promise(
            await call.caller.ledger(), {"scheduled_event": old.uri, "start_time": wire(start)}, call.caller.now
        ),
    )
    earlier = await move.promise.recall()
    booked = await _booked_earlier(move, earlier)
    if booked is not None:
        answer = (earlier or {}).get("answer")
        return models.read(Rescheduling, answer) if answer else await finish(move, booked)
    if not old.is_active:
        return await _without_old(move, earlier)
    check(old, start, call.caller.now())
    await _require_no_other(move)
    is_gone = earlier is not None and "invitee" in earlier
    return await _move(move, None if is_gone else earlier)


async def _require_no_other(move: Move) -> None:
    """Refuse to move a meeting for which an earlier call has booked, or may have booked, another time: it would be two.

    Raises:
        ArgumentError: The message says how to finish the earlier move first.
    """
    other = await move.promise.to_another_time()
    earlier = None if other is None else await other.recall()
    if other is None or earlier is None:
        return
    start = str(other.what["start_time"])
    booked = await _booked_earlier(replace(move, start=parse_time(start), promise=other), earlier)
    if booked is None and "invitee" in earlier:
        return  # that meeting is canceled since
    became = "has booked" if booked is not None else "may have booked"
    raise ArgumentError.of(
        "start_time",
        f"An earlier call {became} {start}, and the old meeting still stands. Call again with start_time {start}: that "
        "cancels the old one. The new one can be moved then.",
    )


async def _booked_earlier(move: Move, earlier: Progress | None) -> Booked | None:
    """Return the new meeting that an earlier call booked; None if there is none, as far as Calendly shows.

    Raises:
        ArgumentError: Both meetings are canceled; the message says where it was moved since.
    """
    step, wanted = (earlier or {}).get("step"), move.old.booked_at(move.start)
    if earlier is not None and "invitee" in earlier:
        booked = models.read(Booked, earlier["invitee"])
        if await stands(move.call, booked):
            return booked
        if not move.old.is_active:
            raise await _moved_on(move)
        await move.promise.end()
        return None
    if step in {"booking", "booking_after"}:
        found = await look_for(move.call, wanted)
    else:
        found = None if move.old.is_active else await booked_already(move.call, wanted)
    return None if found is None else await _told(move, found)


async def _moved_on(move: Move) -> ArgumentError:
    return await moved_on(move.call, move.promise, move.old.event, move.old.invitee)


async def _told(move: Move, found: Booked) -> Booked:
    """Return the answer for a booking that was found, in the form of a call that made it."""
    body = given({**move.over.arguments, "start_time": wire(move.start)})
    return await with_meeting(move.call, found, body, move.kind)


async def stands(call: Call, booked: Booked) -> bool:
    """Return whether a booked meeting still stands, as far as that can be read."""
    try:
        event = await call.via(get_scheduled_event)(ScheduledEventId.parse(booked.get("event") or ""))
    except (CalendlyError, ToolError, InvalidIdentifier):
        return True
    return event.get("status") != "canceled"


async def _without_old(move: Move, earlier: Progress | None) -> Rescheduling:
    """Continue when the old meeting is canceled and no new one is found."""
    step = (earlier or {}).get("step")
    if step == "booking_back":
        back = await look_for(move.call, move.old.booked_at(move.old.span.start))
        if back is not None:
            return await booked_back(move, back, "an earlier call says why.")
    if step in {"booking", "booking_after"}:
        is_unbooked = await _is_unbooked(move, earlier)
        if is_unbooked is None:
            raise not_movable(f"It is canceled. {_NEVER_KNOWN}", LOOK_FIRST)
        if not is_unbooked:
            raise _not_known(move, earlier, "The old meeting is canceled.")
    if step is None or step == "booking":
        await move.promise.end()
        raise await _moved_on(move)
    return await book_after(await move.authorized(), move.old.event.get("cancellation") or {})


async def _move(move: Move, earlier: Progress | None) -> Rescheduling:
    """Move a meeting that stands, where no earlier call booked the new time as far as Calendly shows."""
    if move.over.obstacles:
        return _unchanged(move, " ".join(move.over.obstacles))
    listed = await open_times(move.call, move.old.event_type, move.start)
    is_open = listed.offers(move.start) if listed else None
    if is_open is False or stays_open(move.kind):
        booked = await booked_already(move.call, move.old.booked_at(move.start))
        if booked is not None:
            await _require_own(move, booked)
            return await finish(move, await _told(move, booked))
    is_in_the_way = not hosts_take_turns(move.kind) and overlaps(move.old.span, move.kind, move.start)
    if listed and is_open is False and move.kind and is_in_the_way:
        why = await objection(move.call, move.old.event, move.old.span, move.kind, (move.start, listed))
        if why is None:
            return await cancel_first(move, earlier)
        near = listed.near(move.start, await zone_if_known(move.call.caller))
        return _unchanged(move, f"{why} {near}")
    return await _book_first(move, earlier)


def _not_known(move: Move, earlier: Progress | None, where_it_stands: str) -> OutcomeUnknown:
    known = known_from(move, sent_time((earlier or {}).get("at")))
    return goes_on(OutcomeUnknown("What became of an earlier booking is not known."), f"{where_it_stands}{known}")


async def _require_own(move: Move, booked: Booked) -> None:
    """Refuse to take another meeting of the same person for the new one, and to cancel the old one for it.

    Raises:
        ArgumentError: No call for this move, nor the invitee's own, has booked it.
    """
    promised = await move.promise.recall()  # by another call, meanwhile
    is_promised = promised is not None and promised.get("step") != "canceling"
    if is_promised or booked.get("old_invitee") == move.old.invitee.get("uri"):
        return
    raise ArgumentError.of(
        "start_time",
        f"Its invitee has another meeting of this event type then already, {booked.get('event')}, and no earlier call "
        f"for this move is known to have booked it. Nothing was changed: {move.old.uri} stands too.",
        "Ask the user: if the other meeting is to replace this one, cancel this one with cancel_scheduled_event; if "
        "both are wanted, take another time.",
    )


async def _book_first(move: Move, earlier: Progress | None) -> Rescheduling:
    """Book, unless an earlier call may have booked already. What was sent with it and is refused changes nothing."""
    if (earlier or {}).get("step") == "booking":
        is_unbooked = await _is_unbooked(move, earlier)
        if is_unbooked is None:
            return _unchanged(move, _NEVER_KNOWN, _OLD_STANDS)
        if not is_unbooked:
            raise _not_known(move, earlier, "The old meeting stands.")
    try:
        return await book_first(move, earlier)
    except InvalidArgument as refused:
        if not is_of_what_goes_along(refused):
            raise
        return _unchanged(move, told(refused))


async def _is_unbooked(move: Move, earlier: Progress | None) -> bool | None:
    """Return whether an earlier call certainly did not book the new time, None if this person can never learn it.

    Calendly gives a time of one host to one booking only. Where hosts take turns, the organization's list tells it
    once that list is no longer late.
    """
    if not move.kind:
        return False
    wanted, is_unbooked = move.old.booked_at(move.start), None
    if hosts_take_turns(move.kind):
        sent = sent_time((earlier or {}).get("at"))
        is_old = sent is not None and move.call.caller.now() - sent > LISTED_BY_THEN
        is_unbooked = await is_absent(move.call, wanted) if is_old else False
    else:
        listed = await open_times(move.call, move.old.event_type, move.start)
        is_unbooked = listed is not None and listed.offers(move.start) is True
    if is_unbooked:
        await forget(move.call, wanted)
    return is_unbooked


def _unchanged(move: Move, why: str, left: str = _NOTHING_CHANGED) -> Rescheduling:
    unchanged: Rescheduling = {
        "outcome": "unchanged",
        "message": f"{why} {left}",
        "old_event": move.old.uri,
        "reschedule_url": move.old.invitee.get("reschedule_url"),
    }
    return {**unchanged, "changes": [*map(str, move.over.changes)]} if move.over.changes else unchanged
