"""The steps of a rescheduling: book, cancel, and what remains when one of them fails.

The new meeting is booked first, and the old one canceled then. Where the two overlap, Calendly offers
the new time only once the old meeting is gone: then it is canceled first, and if the new time cannot
be booked after all, the old time is booked again.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from calendly import models
from calendly.errors import (
    CalendlyError,
    CalendlyRefusal,
    Conflict,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
    UpstreamError,
)
from calendly.models.personal import PERSONAL
from tools.booking.booked import Booked
from tools.booking.checks import hosts_take_turns
from tools.booking.create_event_invitee import create_event_invitee
from tools.booking.lookup import look_for
from tools.booking.once import is_taken
from tools.booking.remembered import LISTED_BY_THEN
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event
from tools.fields import ScheduledEventRef
from tools.times import wire
from tools.toolset.declaring import Call
from tools.toolset.effects import DryRun
from tools.toolset.errors import AlreadyBooked, ArgumentError, ToolError
from tools.workflows.carried_over import CarryOver
from tools.workflows.meeting_to_move import MeetingToMove
from tools.workflows.promise import MovingStep, Progress, Promise
from tools.workflows.refused import told

RescheduleOutcome = Literal["rescheduled", "booked_but_not_canceled", "old_time_booked_again", "unchanged"]

_PAUSES: Final = (1.0, 2.0, 4.0)
"""Waits in seconds until Calendly offers the time of a meeting that was just canceled."""


class Rescheduling(TypedDict, total=False):
    """The result of a rescheduling."""

    outcome: Annotated[
        RescheduleOutcome, Field(description="rescheduled, booked_but_not_canceled, old_time_booked_again or unchanged")
    ]
    message: str
    new_invitee: Annotated[Booked, Field(description="of the new meeting, whose URI is its event")]
    old_event: Annotated[str, Field(description="scheduled event URI")]
    cancellation: models.Cancellation
    changes: Annotated[list[str], Field(description="what is not as it was: tell the user")]
    reschedule_url: Annotated[str | None, PERSONAL, Field(description="for the invitee or host to move it at")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One meeting to be moved to one time.

    Attributes:
        call: The call that moves it.
        scheduled_event: The meeting, as the caller named it.
        old: The meeting.
        kind: Its event type, empty if it cannot be read.
        start: The new time.
        reason: What the invitee reads of the cancellation.
        over: What goes along.
        promise: How far it has come.
    """

    call: Call
    scheduled_event: ScheduledEventRef
    old: MeetingToMove
    kind: models.EventType
    start: datetime
    reason: str | None
    over: CarryOver
    promise: Promise

    async def authorized(self) -> "Move":
        """Return the move with its access decided."""
        return replace(self, call=await self.call.authorize())


async def book_first(move: Move, earlier: Progress | None) -> Rescheduling:
    """Book the new time, then cancel the old meeting.

    Args:
        move: What is moved.
        earlier: How far an earlier call came, which certainly did not take the time.
    """
    booking = await _dry_run(_book(replace(move, call=move.call.dry_run()), move.start))
    move = await move.authorized()
    if move.call.is_dry_run:
        canceling = await _dry_run(_cancel(move))
        raise DryRun(*booking.requests, *canceling.requests, unchecked=booking.unchecked)
    is_canceling = earlier is not None and earlier.get("step") != "booking"  # it may be another call that is at it now
    await move.promise.go_on("booking_after" if is_canceling else "booking", earlier)
    try:
        booked = await _book(move, move.start)
    except OutcomeUnknown as unknown:
        known = known_from(move, move.call.caller.now())
        raise goes_on(unknown, f"The old meeting was not canceled.{known}") from unknown
    except (ToolError, CalendlyRefusal, Unreachable) as refused:
        if earlier is not None and is_taken(refused):
            raise goes_on(_unknown(refused), "An earlier call may have booked it.") from refused
        await move.promise.refused()
        raise
    return await finish(move, booked)


async def finish(move: Move, booked: Booked) -> Rescheduling:
    """Cancel the old meeting, if it still stands, and return the answer."""
    old = move.old
    if not old.is_active:
        return await _done(move, booked, old.event.get("cancellation") or {})
    move = await move.authorized()
    if move.call.is_dry_run:
        raise await _dry_run(_cancel(move))
    await move.promise.note({"step": "booked", "invitee": dict(booked)})
    canceled = await _canceled(move)
    if not isinstance(canceled, Exception):
        return await _done(move, booked, canceled)
    return {
        "outcome": "booked_but_not_canceled",
        "message": f"The new time is booked, and the old meeting may still stand: {canceled} Call again with the "
        "same arguments to cancel it, or use cancel_scheduled_event. Until then there are two meetings.",
        **_facts(move, booked),
    }


async def cancel_first(move: Move, earlier: Progress | None) -> Rescheduling:
    """Cancel the old meeting, then book the new time, which Calendly offers only then.

    Args:
        move: What is moved.
        earlier: How far an earlier call came.
    """
    await _check_all_but_time(move)
    move = await move.authorized()
    if move.call.is_dry_run:
        canceling = await _dry_run(_cancel(move))
        raise DryRun(*canceling.requests, unchecked=["open times once the old meeting is canceled"])
    await move.promise.go_on("canceling", earlier)
    canceled = await _canceled(move)
    if isinstance(canceled, OutcomeUnknown):
        raise goes_on(canceled, "Nothing was booked.") from canceled
    if isinstance(canceled, Exception):
        await move.promise.refused()
        raise canceled
    return await book_after(move, canceled)


async def book_after(move: Move, canceled: models.Cancellation) -> Rescheduling:
    """Book the new time after the old meeting was canceled; if that is refused, book the old time again."""
    if move.call.is_dry_run:
        raise await _dry_run(_book(move, move.start))
    try:
        booked = await _book_once_open(move, move.start, "booking_after")
    except (ToolError, CalendlyRefusal) as refused:
        own = await look_for(move.call, move.old.booked_at(move.start)) if is_taken(refused) else None
        if own is None:
            return await _book_back(move, refused)
        booked = own  # by another call for the same move
    return await _done(move, booked, canceled)


def _unknown(problem: Exception) -> OutcomeUnknown:
    """Return a failure as an unknown outcome of the move, with all that Calendly said."""
    if not isinstance(problem, CalendlyError):
        return OutcomeUnknown(str(problem))
    return OutcomeUnknown(
        problem.reason,
        status=problem.status,
        title=problem.title,
        message=problem.message,
        details=problem.details,
    )


def goes_on(unknown: OutcomeUnknown, where_it_stands: str) -> OutcomeUnknown:
    """Return an unknown outcome that the same call again settles."""
    cause = unknown.__cause__  # without the advice to look, which is for who books
    told = cause if isinstance(cause, OutcomeUnknown) else unknown
    told = told.retold(f"{told.reason.rstrip('.')}. {where_it_stands} Repeat this call with the same arguments.")
    told.goes_on = True
    return told


def known_from(move: Move, sent: datetime | None) -> str:
    """Say from when on the lists tell what became of a booking, where its time stays open whether or not it is made."""
    if sent is None or not hosts_take_turns(move.kind):
        return ""
    return f" If the new one does not show before, what became of it is known after {wire(sent + LISTED_BY_THEN)}."


async def booked_back(move: Move, booked: Booked, why: str) -> Rescheduling:
    """Return the answer for a meeting that is back at its old time."""
    answer: Rescheduling = {
        "outcome": "old_time_booked_again",
        "message": f"The new time could not be booked once the old meeting was canceled, so the old time was booked "
        f"again: {why} Calendly e-mailed the invitee about each.",
        **_facts(move, booked),
    }
    await move.promise.note({"step": "done", "invitee": dict(booked), "answer": dict(answer)})
    return answer


async def _book_back(move: Move, refused: Exception) -> Rescheduling:
    try:
        booked = await _book_once_open(move, move.old.span.start, "booking_back")
    except (ToolError, CalendlyRefusal) as also:
        raise ArgumentError.of(
            "start_time",
            f"The old meeting is canceled, the new time cannot be booked ({refused}), nor the old one again ({also}). "
            "Call again to try both anew, or book another time with create_event_invitee.",
            "Call again with the same arguments to try both anew; for another time, use create_event_invitee.",
        ) from also
    return await booked_back(move, booked, told(refused))


async def _book_once_open(move: Move, start: datetime, step: MovingStep) -> Booked:
    """Book a time that the canceled meeting took.

    Raises:
        ToolError, CalendlyRefusal: It certainly cannot be booked.
        CalendlyError: It may be later, by the same call again.
    """
    await move.promise.note({"step": step})
    gone = "The old meeting is canceled, and the new one not booked so far."
    for pause in (*_PAUSES, None):
        try:
            return await _book(move, start)
        except OutcomeUnknown as unknown:
            raise goes_on(unknown, gone) from unknown
        except (Unreachable, RateLimited, UpstreamError) as problem:
            await move.promise.note({"step": "canceling"})
            raise goes_on(_unknown(problem), gone) from problem
        except (ToolError, CalendlyRefusal) as refused:
            if not is_taken(refused) or pause is None or not await move.call.caller.pause(pause):
                raise
    raise AssertionError  # the last round returns or raises


async def _done(move: Move, booked: Booked, canceled: models.Cancellation) -> Rescheduling:
    answer: Rescheduling = {
        "outcome": "rescheduled",
        "message": "The new time is booked and the old meeting canceled; Calendly e-mailed the invitee about each.",
        **_facts(move, booked),
        "cancellation": canceled,
    }
    await move.promise.note({"step": "done", "invitee": dict(booked), "answer": dict(answer)})
    return answer


def _facts(move: Move, booked: Booked) -> Rescheduling:
    facts: Rescheduling = {"new_invitee": booked, "old_event": move.old.uri}
    return {**facts, "changes": [*map(str, move.over.changes)]} if move.over.changes else facts


async def _check_all_but_time(move: Move) -> None:
    """Raise ArgumentError if the new meeting cannot be booked for another reason than its time."""
    try:
        await _dry_run(_book(replace(move, call=move.call.dry_run()), move.start))
    except (AlreadyBooked, ArgumentError) as refused:
        if not is_taken(refused):
            raise


async def _dry_run(doing: Awaitable[object]) -> DryRun:
    """Return what would be sent."""
    try:
        await doing
    except DryRun as tried:
        return tried
    return DryRun()


async def _book(move: Move, start: datetime) -> Booked:
    """Book a time for the same person with the same answers."""
    arguments: dict[str, Any] = {**move.over.arguments}
    return await move.call.via(create_event_invitee)(move.old.event_type, start, **arguments)


async def _cancel(move: Move) -> models.Cancellation:
    return await move.call.via(cancel_scheduled_event)(move.scheduled_event, move.reason)


async def _canceled(move: Move) -> models.Cancellation | CalendlyError | ToolError:
    """Cancel the old meeting. Where the answer is lost or says that it is canceled, look whether it is."""
    try:
        return await _cancel(move)
    except (OutcomeUnknown, Conflict) as problem:
        found = await _cancellation(move)
        return problem if found is None else found
    except (CalendlyError, ToolError) as problem:
        return problem


async def _cancellation(move: Move) -> models.Cancellation | None:
    """Return the cancellation of the old meeting, None if it stands or cannot be read."""
    try:
        event = await move.call.via(get_scheduled_event)(move.scheduled_event)
    except (CalendlyError, ToolError):
        return None
    return (event.get("cancellation") or {}) if event.get("status") == "canceled" else None
