"""Booking once: check the booking, decide access, send it, and look for it when the answer is lost.

Nothing is sent twice. A booking reserves its idempotency key right before it is sent, and releases
it only when Calendly certainly booked nothing.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

import anyio

from calendly import models
from calendly.errors import (
    CalendlyError,
    CalendlyRefusal,
    Conflict,
    Detail,
    InvalidArgument,
    OutcomeUnknown,
    Unreachable,
)
from tools.booking.answers import answer_faults, prepared
from tools.booking.booked import Booked, with_meeting
from tools.booking.checks import exact_location, location_faults, only_location, state_faults, stays_open
from tools.booking.lookup import BookingSought, booked_already, look_up, overlapping
from tools.booking.remembered import forget, remember, remembered, unsettled_until
from tools.booking.survey import PATIENCE, OpenStarts, Survey, open_times, survey
from tools.endpoints.availability import list_event_type_available_times, why_not_open_at
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.times import sent_length, sent_time, wire, zone_if_known
from tools.toolset.declaring import Body, Call
from tools.toolset.effects import DryRun
from tools.toolset.errors import AlreadyBooked, ArgumentError, ArgumentFault, ToolError
from tools.toolset.wording import one_line

TAKEN: Final = "already_filled"
"""Calendly's code for a time that is not open, whatever the reason."""

NOT_OPEN: Final = "not_open"
"""Our code for the same, which says nothing of the reason either."""

OPEN_TIMES: Final = "open times"
"""The check of a booking that its time is open."""

_ASK_FIRST: Final = "Ask the user whether to move that booking or to take another time; until then, book nothing."

_UNKNOWN: Final = "What became of the first call with this key is not known."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A booking as requested.

    Attributes:
        body: What to send.
        wanted: What identifies the booking.
        timezone: The zone for times in errors, None for the caller's own.
    """

    body: Body
    wanted: BookingSought
    timezone: str | None


class _Ready(NamedTuple):
    """A booking that was checked and authorized.

    Attributes:
        call: The authorized call.
        order: The booking in Calendly's own words, with its location filled in where there is only one.
        kind: The event type, None if it could not be read.
        unchecked: The checks that could not be made.
    """

    call: Call
    order: Order
    kind: models.EventType | None
    unchecked: list[str]


async def book(call: Call, order: Order) -> Booked:
    """Book without an idempotency key."""
    ready = await _prepare(call, order)
    return await _told(ready, await _send(ready))


async def book_under(key: str, call: Call, order: Order) -> Booked:
    """Book under an idempotency key: a repeated call gets the first answer and never sends again."""
    ledger = await call.caller.ledger()
    earlier = await ledger.recall(key, order.body)
    if earlier is None:
        try:
            ready = await _prepare(call, order)
        except (AlreadyBooked, ArgumentError):
            earlier = await ledger.recall(key, order.body)
            if earlier is None:  # else it is by another call with this key, meanwhile, that the time is taken
                raise
        else:
            if call.is_dry_run:
                return await _send(ready)
            earlier = await ledger.reserve(key, order.body)
            if earlier is None:
                return await _send_first(key, ready, order)
    if call.is_dry_run:
        raise DryRun
    return await _repeat(key, call, order)


async def _send_first(key: str, ready: _Ready, order: Order) -> Booked:
    ledger = await ready.call.caller.ledger()
    try:
        booked = await _send(ready)
    except (ToolError, CalendlyRefusal, Unreachable):
        await ledger.release(key)
        raise
    await ledger.settle(key, order.body, dict(booked))
    told = await _told(ready, booked)
    await ledger.settle(key, order.body, dict(told))
    return told


async def _repeat(key: str, call: Call, order: Order) -> Booked:
    """Return what an earlier call booked, looking for it when its outcome is not known."""
    ledger = await call.caller.ledger()

    async def answered() -> Booked | None:
        try:
            found = await ledger.recall(key, order.body)
        except Unreachable:
            return None
        return None if found is None or found.answer is None else models.read(Booked, found.answer)

    booked = await answered() or await look_up(call, order.wanted, OutcomeUnknown(_UNKNOWN), answered)
    if "scheduled_event" not in booked:
        found = await survey(call, order.wanted.event_type, order.wanted.start)
        booked = await with_meeting(call, booked, _complete(order, found).body, found.kind)
        await ledger.settle(key, order.body, dict(booked))
    return booked


def is_taken(refused: Exception) -> bool:
    """Return whether a booking was refused for nothing but its time, which is not open."""
    if isinstance(refused, ArgumentError):
        return all(fault.get("code") in {TAKEN, NOT_OPEN} for fault in refused.faults)
    if isinstance(refused, AlreadyBooked):
        return True
    return isinstance(refused, CalendlyRefusal) and any(detail.get("code") == TAKEN for detail in refused.details)


async def _prepare(call: Call, order: Order) -> _Ready:
    """Check a booking and authorize it, in this order: nobody is asked about an impossible booking.

    Raises:
        AlreadyBooked: The same booking exists.
        ArgumentError: It cannot be booked; the faults name everything that is wrong and what would
            be right.
    """
    await call.precheck()
    found = await survey(call, order.wanted.event_type, order.wanted.start)
    faults = await _faults(call, order, found)
    if faults:
        is_overlapped = any(fault.get("code") == TAKEN for fault in faults)
        raise ArgumentError(*faults, next_step=_ASK_FIRST if is_overlapped else None)
    return _Ready(await call.authorize(), _complete(order, found), found.kind, _unchecked(found, order))


def _complete(order: Order, found: Survey) -> Order:
    """Return a booking in Calendly's own words: the slot's text, questions, choices, and the only location."""
    body = dict[str, Any](order.body)
    if found.open_times is not None:
        body["start_time"] = found.open_times.texts.get(order.wanted.start, body["start_time"])
    if found.kind is not None:
        location = exact_location(found.kind, body["location"]) if "location" in body else only_location(found.kind)
        answers, _ = prepared(found.kind, body.get("questions_and_answers") or [])
        body |= ({"location": location} if location else {}) | ({"questions_and_answers": answers} if answers else {})
    return replace(order, body=body)


async def _faults(call: Call, order: Order, found: Survey) -> list[ArgumentFault]:
    kind, body, faults = found.kind, dict[str, Any](order.body), list[ArgumentFault]()
    if kind is not None:
        faults = state_faults(kind)
        if faults:
            return faults
        _, told = prepared(kind, body.get("questions_and_answers") or [])
        faults = [*location_faults(kind, body.get("location") or only_location(kind)), *answer_faults(told)]
    listed, start = found.open_times, order.wanted.start
    closed = listed if listed is not None and listed.offers(start) is False else None
    await _require_no_own_booking(call, order, is_listed=closed is not None or stays_open(kind or {}))
    if start <= call.caller.now():
        faults.append({"parameter": "start_time", "message": "Must be in the future."})
    elif closed is not None:
        other = await _overlapping(call, order, closed, sent_length((kind or {}).get("duration")))
        told_of = other or await _not_open(call, order, closed)
        faults.append({"parameter": "start_time", "message": told_of, "code": TAKEN if other else NOT_OPEN})
    return faults


async def _require_no_own_booking(call: Call, order: Order, *, is_listed: bool) -> None:
    """Refuse a booking that exists, as far as the agent may see it, or that may exist.

    Args:
        call: The call that books.
        order: The booking.
        is_listed: Whether to look into Calendly's lists, too: not where an open time tells that nobody has booked it.

    Raises:
        AlreadyBooked: The same booking exists.
        OutcomeUnknown: An earlier call sent the same booking, and its answer was lost.
    """
    uri = await remembered(call, order.wanted)
    until = await unsettled_until(call, order.wanted)
    if until is not None:
        told = (
            f"What became of an earlier call for this booking is not known; it is not sent again before {wire(until)}."
        )
        uri = (await look_up(call, order.wanted, OutcomeUnknown(told))).get("uri")
    if uri is None and is_listed and _sees_bookings(call):
        uri = (await booked_already(call, order.wanted) or {}).get("uri")
    if uri is not None:
        raise AlreadyBooked(f"{_taken(order)}, {uri}. Nothing more needs to be booked.")


def _sees_bookings(call: Call) -> bool:
    return call.allows(list_scheduled_events) and call.allows(list_event_invitees)


def _taken(order: Order) -> str:
    return f"{wire(order.wanted.start)} is taken by this invitee's own booking"


async def _overlapping(call: Call, order: Order, listed: OpenStarts, length: timedelta) -> str | None:
    """Say which other booking of the same invitee is in the way, if one is and if the agent may see it."""
    if not _sees_bookings(call):
        return None
    other = await overlapping(call, order.wanted, length)
    if other is None:
        return None
    when = " to ".join(wire(time) for name in ("start_time", "end_time") if (time := sent_time(other.get(name))))
    near = await _near(call, order, listed)
    which = f"{one_line(other.get('name'))}, {when}, {other.get('uri')}"
    return f"{_taken(order)} of {which}: ask whether to move that. {near}"


def _unchecked(found: Survey, order: Order) -> list[str]:
    by_kind = ["location", "questions"] if found.kind is None else []
    open_times = found.open_times
    is_checked = open_times is not None and open_times.offers(order.wanted.start) is not None
    return by_kind if is_checked else [*by_kind, OPEN_TIMES]


async def _not_open(call: Call, order: Order, listed: OpenStarts) -> str:
    """Say that a time is not open, which times are, and why it is not, as far as that can be read in time."""
    why = ""
    with anyio.move_on_after(PATIENCE):
        try:
            about = call.of(list_event_type_available_times)
            why = f" {await why_not_open_at(about, order.wanted.event_type, order.wanted.start)}"
        except (CalendlyError, ToolError):
            pass  # the nearest times matter more
    return f"{wire(order.wanted.start)} is not open. {await _near(call, order, listed)}{why}"


async def _near(call: Call, order: Order, open_times: OpenStarts) -> str:
    return open_times.near(order.wanted.start, await zone_if_known(call.caller, order.timezone))


async def _told(ready: _Ready, booked: Booked) -> Booked:
    """Return a booking with its meeting and what was not checked."""
    told = await with_meeting(ready.call, booked, ready.order.body, ready.kind)
    return {**told, "unchecked": ready.unchecked} if ready.unchecked else told


async def _send(ready: _Ready) -> Booked:
    """Send a booking, and look for it when the answer is lost."""
    call, order = ready.call, ready.order
    is_repeatable = ready.kind is None or stays_open(ready.kind)  # Calendly would take the same booking twice
    if is_repeatable and not call.is_dry_run:
        await remember(call, order.wanted)
    try:
        booked = await _sent(ready)
    except (ToolError, CalendlyRefusal, Unreachable):
        await forget(call, order.wanted)
        raise
    await remember(call, order.wanted, booked)
    return booked


async def _sent(ready: _Ready) -> Booked:
    call, order = ready.call, ready.order
    try:
        return await call(Booked, body=order.body)
    except OutcomeUnknown as unknown:
        return await look_up(call, order.wanted, unknown)
    except (InvalidArgument, Conflict) as refused:
        raise await _explained(ready, refused) from None
    except DryRun as tried:
        raise DryRun(*tried.requests, unchecked=ready.unchecked) from None


async def _explained(ready: _Ready, refused: CalendlyRefusal) -> CalendlyRefusal:
    """Tell a refusal as a time that is not open, if it is not, or not any more: Calendly words that in several ways."""
    call, order = ready.call, ready.order
    listed = await open_times(call, order.wanted.event_type, order.wanted.start)
    if not is_taken(refused) and (listed is None or listed.offers(order.wanted.start) is not False):
        return refused
    lost = f"{wire(order.wanted.start)} was taken between the look at the open times and this booking."
    if OPEN_TIMES in ready.unchecked:
        lost = f"{wire(order.wanted.start)} is not open."
        more = (await _not_open(call, order, listed)).removeprefix(lost) if listed else ""
    else:
        more = f" {await _near(call, order, listed)}" if listed else ""
    told = refused.retold(f"{refused.reason.rstrip('.')}. {lost}{more}")
    if not is_taken(refused):
        told.details = [*refused.details, Detail(parameter="start_time", message=lost, code=TAKEN)]
    return told
