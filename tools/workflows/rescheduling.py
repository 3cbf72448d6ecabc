"""Rescheduling. Calendly has no call for it, so the new meeting is booked before the old one is canceled.

The invitee always keeps a meeting: a failure before the new booking changes nothing, and if the old
meeting cannot be canceled afterwards, the answer names both. A repeated call finds the first
booking by its idempotency key and continues from there.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from calendly import models
from calendly.errors import CalendlyError, OutcomeUnknown
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId
from calendly.models.personal import PERSONAL
from tools.answers.views import Meeting
from tools.booking.create_event_invitee import create_event_invitee
from tools.endpoints.availability import list_event_type_available_times, list_user_busy_times
from tools.endpoints.event_types import get_event_type
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event
from tools.fields import Reason, ScheduledEventRef, Time, TimeZone
from tools.times import instant, sent_time, wire
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.effects import DryRun
from tools.toolset.errors import ArgumentError, ToolError
from tools.workflows.carried_over import carried_over
from tools.workflows.free_times import Span

rescheduling = Workflows()


def _audited(call: AuditedArguments) -> str:
    return f"{call.filled('the scheduled event {scheduled_event}')} to another time{call.moment('start_time')}"


RescheduleOutcome = Literal["rescheduled", "booked_but_not_canceled", "unchanged"]

_BUFFERS: Final[tuple[Literal["before_buffer", "after_buffer"], ...]] = ("before_buffer", "after_buffer")
_SLOT: Final = timedelta(minutes=1)
_NOT_NOW: Final = (
    "Only the meeting itself stands in the way of the new time. It would have to be canceled first, and be lost if the "
    "booking fails, so nothing was changed. At reschedule_url a person can move it."
)


class Rescheduling(TypedDict, total=False):
    """The result of a rescheduling."""

    outcome: Annotated[RescheduleOutcome, Field(description="rescheduled, booked_but_not_canceled or unchanged")]
    message: str
    new_invitee: Annotated[models.Invitee, Field(description="of the new meeting, whose URI is its event")]
    old_event: Annotated[str, Field(description="scheduled event URI")]
    cancellation: models.Cancellation
    reschedule_url: Annotated[str | None, PERSONAL, Field(description="for the invitee or host to move it at")]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Old:
    """The meeting to move, and its invitee."""

    event: Meeting
    event_type: EventTypeId
    span: Span
    invitee: models.Invitee


@rescheduling.workflow(
    title="Reschedule a meeting",
    audit=Sentence("reschedule", _audited),
    needs=(create_event_invitee, cancel_scheduled_event, get_scheduled_event, list_event_invitees),
    uses=(get_event_type, list_event_type_available_times, list_user_busy_times),
)
async def reschedule_scheduled_event(
    call: Call,
    scheduled_event: ScheduledEventRef,
    start_time: Annotated[Time, Field(description="the new one, an open time")],
    reason: Annotated[Reason, Field(description="the invitee reads it")] | None = None,
    timezone: TimeZone | None = None,
) -> Rescheduling:
    """Reschedule a booked meeting of one invitee: book the new time, then cancel the old. Cannot be undone.

    Calendly has no reschedule call, so the invitee gets two mails, a new booking and a cancellation: say so before.
    Refuses group meetings. If the outcome is booked_but_not_canceled, call again with the same arguments.
    """
    await call.precheck()
    start = await instant(call.caller, "start_time", start_time, timezone=timezone)
    old = await _movable(call, scheduled_event, start)
    kind = await _event_type(call, old)
    if await _is_blocked_by_old_alone(call, old, kind, start):
        return {
            "outcome": "unchanged",
            "message": _NOT_NOW,
            "old_event": old.event.get("uri") or "",
            "reschedule_url": old.invitee.get("reschedule_url"),
        }
    booking = await _dry_run(_book(call.dry_run(), old, kind, start))  # nobody is asked about what cannot be booked
    call = await call.authorize()
    if call.is_dry_run:
        canceling = await _dry_run(call.via(cancel_scheduled_event)(scheduled_event, reason))
        raise DryRun(*booking.requests, *canceling.requests, unchecked=booking.unchecked)
    return await _cancel_old(call, old, await _book(call, old, kind, start), scheduled_event, reason)


async def _dry_run(doing: Awaitable[object]) -> DryRun:
    """Return what would be sent."""
    try:
        await doing
    except DryRun as tried:
        return tried
    return DryRun()


async def _movable(call: Call, scheduled_event: ScheduledEventRef, start: datetime) -> _Old:
    """Return the meeting and its invitee. Raises ArgumentError if it cannot be moved."""
    event = await call.via(get_scheduled_event)(scheduled_event)
    span = _span(event)
    objection = _objection(event, span, start, call.caller.now())
    if objection is not None:
        raise objection
    page = await call.via(list_event_invitees)(scheduled_event, status="active", count=2)
    invitees = page.get("collection", [])
    if len(invitees) != 1 or ((event.get("invitees_counter") or {}).get("limit") or 1) > 1:
        raise _not_movable("Others have booked or can book it, and they would not move with one invitee.")
    if not invitees[0].get("email"):
        raise _not_movable("Calendly does not say who booked it.")
    try:
        event_type = EventTypeId.parse(event.get("event_type") or "")
    except InvalidIdentifier:
        raise _not_movable("It has no event type with which it could be booked anew.") from None
    return _Old(event=event, event_type=event_type, span=span, invitee=invitees[0])


def _objection(event: Meeting, span: Span, start: datetime, now: datetime) -> ArgumentError | None:
    if event.get("status") != "active":
        return _not_movable("It is canceled. Book anew with create_event_invitee.")
    if span.start <= now:
        return _not_movable("It has begun already or is over.")
    if start == span.start:
        return ArgumentError.of("start_time", "The meeting is at that time already.")
    if start <= now:
        return ArgumentError.of("start_time", "Must be in the future.")
    return None


def _not_movable(why: str) -> ArgumentError:
    return ArgumentError.of("scheduled_event", f"This meeting cannot be moved. {why}")


def _span(event: Meeting) -> Span:
    start, end = (sent_time(event.get(name)) for name in ("start_time", "end_time"))
    if start is None or end is None:
        raise _not_movable("Calendly does not say when it is.")
    return Span(start, end)


async def _event_type(call: Call, old: _Old) -> models.EventType:
    """Return the event type, empty if it cannot be read: Calendly then checks the booking alone."""
    try:
        return await call.inquire(get_event_type)(old.event_type)
    except (CalendlyError, ToolError):
        return {}


async def _is_blocked_by_old_alone(call: Call, old: _Old, kind: models.EventType, start: datetime) -> bool:
    """Return whether only the old meeting blocks the new time."""
    minutes = kind.get("duration")
    length = timedelta(minutes=minutes) if minutes else old.span.end - old.span.start
    before, after = (timedelta(minutes=kind.get(name) or 0) for name in _BUFFERS)
    needed = Span(start - before, start + length + after)
    taken = Span(old.span.start - before, old.span.end + after)
    if not _overlap(needed, taken) or await _is_open(call, old.event_type, start):
        return False
    return not await _is_busy_otherwise(call, old, needed)


async def _is_open(call: Call, event_type: EventTypeId, start: datetime) -> bool:
    try:
        slots = await call.inquire(list_event_type_available_times)(event_type, start, start + _SLOT)
    except (CalendlyError, ToolError):
        return False
    return any(sent_time(slot.get("start_time")) == start for slot in slots.get("collection", []))


async def _is_busy_otherwise(call: Call, old: _Old, needed: Span) -> bool:
    """Return whether a host has another meeting then; False if that may not be read."""
    for host in old.event.get("event_memberships") or []:
        try:
            user = UserId.parse(host.get("user") or "")
            rows = await call.inquire(list_user_busy_times)(needed.start, needed.end, user)
        except (CalendlyError, ToolError, InvalidIdentifier):
            continue
        if any((row.get("event") or {}).get("uri") != old.event.get("uri") for row in rows.get("collection", [])):
            return True
    return False


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


async def _book(call: Call, old: _Old, kind: models.EventType, start: datetime) -> models.Invitee:
    """Book the new time for the same person with the same answers. A repeated call finds the same booking."""
    try:
        return await call.via(create_event_invitee)(
            event_type=old.event_type,
            start_time=start,
            **carried_over(old.event, old.invitee, kind),
            idempotency_key=f"reschedule {old.event.get('uri')} {wire(start)}",
        )
    except OutcomeUnknown as unknown:
        raise OutcomeUnknown(
            f"{unknown.reason} The old meeting was not canceled. Repeat this call with the same arguments.",
            status=unknown.status,
        ) from unknown


async def _cancel_old(
    call: Call, old: _Old, booked: models.Invitee, scheduled_event: ScheduledEventRef, reason: str | None
) -> Rescheduling:
    answer: Rescheduling = {"new_invitee": booked, "old_event": old.event.get("uri") or ""}
    try:
        canceled = await call.via(cancel_scheduled_event)(scheduled_event, reason)
    except (CalendlyError, ToolError) as problem:
        return {
            "outcome": "booked_but_not_canceled",
            "message": f"The new time is booked, and the old meeting may still stand: {problem} Call again with the "
            "same arguments to cancel it, or use cancel_scheduled_event. Until then there are two meetings.",
            **answer,
        }
    return {
        "outcome": "rescheduled",
        "message": "The new time is booked and the old meeting canceled; Calendly e-mailed the invitee about each.",
        **answer,
        "cancellation": canceled,
    }
