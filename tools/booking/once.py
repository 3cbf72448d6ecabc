"""Booking once: check the booking, decide access, send it, and look for it when the answer is lost.

Nothing is sent twice. A booking reserves its idempotency key right before it is sent, and releases
it only when Calendly certainly booked nothing.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from calendly import models
from calendly.errors import CalendlyError, CalendlyRefusal, InvalidArgument, OutcomeUnknown, Unreachable
from tools.booking.checks import answer_faults, location_faults, only_location, state_faults
from tools.booking.lookup import Booked, BookingSought, look_up
from tools.booking.survey import OpenStarts, Survey, survey
from tools.times import wire, zone_for
from tools.toolset.declaring import Body, Call
from tools.toolset.effects import DryRun
from tools.toolset.errors import ArgumentError, ArgumentFault, ToolError
from tools.toolset.ledger import KeyOutcome

TAKEN: Final = "already_filled"
"""Calendly's code for a time that is not open."""

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
        order: The booking, with its location filled in where there is only one.
        open_times: The open times around it.
        unchecked: The checks that could not be made.
    """

    call: Call
    order: Order
    open_times: OpenStarts | None
    unchecked: list[str]


async def book(call: Call, order: Order) -> Booked:
    """Book without an idempotency key."""
    return await _send(await _prepare(call, order))


async def book_under(key: str, call: Call, order: Order) -> Booked:
    """Book under an idempotency key: a repeated call gets the first answer and never sends again."""
    ledger = await call.caller.ledger()
    earlier = await ledger.recall(key, order.body)
    if earlier is None:
        try:
            ready = await _prepare(call, order)
        except ArgumentError:
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
    return await _repeat(key, call, order, earlier)


async def _send_first(key: str, ready: _Ready, order: Order) -> Booked:
    ledger = await ready.call.caller.ledger()
    try:
        booked = await _send(ready)
    except (ToolError, CalendlyRefusal, Unreachable):
        await ledger.release(key)
        raise
    await ledger.settle(key, order.body, dict(booked))
    return booked


async def _repeat(key: str, call: Call, order: Order, earlier: KeyOutcome) -> Booked:
    """Return what an earlier call booked, looking for it when its outcome is not known."""
    ledger = await call.caller.ledger()

    async def answered() -> Booked | None:
        try:
            found = await ledger.recall(key, order.body)
        except Unreachable:
            return None
        return None if found is None or found.answer is None else models.read(Booked, found.answer)

    if earlier.answer is not None:
        return models.read(Booked, earlier.answer)
    booked = await look_up(call, order.wanted, OutcomeUnknown(_UNKNOWN), answered)
    await ledger.settle(key, order.body, dict(booked))
    return booked


async def _prepare(call: Call, order: Order) -> _Ready:
    """Check a booking and authorize it, in this order: nobody is asked about an impossible booking.

    Raises:
        ArgumentError: It cannot be booked; the faults name everything that is wrong and what would
            be right.
    """
    await call.precheck()
    found = await survey(call, order.wanted.event_type, order.wanted.start)
    if found.kind is not None:
        order = _with_location(order, found.kind)
    faults = await _faults(call, order, found)
    if faults:
        raise ArgumentError(*faults)
    return _Ready(await call.authorize(), order, found.open_times, _unchecked(found, order))


def _with_location(order: Order, kind: models.EventType) -> Order:
    only = None if "location" in order.body else only_location(kind)
    return order if only is None else replace(order, body={**order.body, "location": only})


async def _faults(call: Call, order: Order, found: Survey) -> list[ArgumentFault]:
    kind, body, faults = found.kind, dict[str, Any](order.body), list[ArgumentFault]()
    if kind is not None:
        faults = state_faults(kind)
        if faults:
            return faults
        faults = [
            *location_faults(kind, body.get("location")),
            *answer_faults(kind, body.get("questions_and_answers") or []),
        ]
    open_times, start = found.open_times, order.wanted.start
    if open_times is not None and open_times.offers(start) is False:
        told = f"{wire(start)} is not open. {await _near(call, order, open_times)}"
        faults.append({"parameter": "start_time", "message": told, "code": TAKEN})
    return faults


def _unchecked(found: Survey, order: Order) -> list[str]:
    by_kind = ["location", "questions"] if found.kind is None else []
    open_times = found.open_times
    is_checked = open_times is not None and open_times.offers(order.wanted.start) is not None
    return by_kind if is_checked else [*by_kind, "open times"]


async def _near(call: Call, order: Order, open_times: OpenStarts) -> str:
    try:
        zone = await zone_for(call.caller, order.timezone)
    except CalendlyError:  # what is open is worth more than in which zone
        zone = None
    return open_times.near(order.wanted.start, zone)


async def _send(ready: _Ready) -> Booked:
    """Send a booking, and look for it when the answer is lost."""
    call, order = ready.call, ready.order
    try:
        booked = await call(Booked, body=order.body)
    except OutcomeUnknown as unknown:
        booked = await look_up(call, order.wanted, unknown)
    except InvalidArgument as refused:
        if ready.open_times is None or not _is_taken(refused):
            raise
        raise _retold(refused, await _near(call, order, ready.open_times)) from None
    except DryRun as tried:
        raise DryRun(*tried.requests, unchecked=ready.unchecked) from None
    return {**booked, "unchecked": ready.unchecked} if ready.unchecked else booked


def _is_taken(refused: InvalidArgument) -> bool:
    return any(detail.get("code") == TAKEN for detail in refused.details)


def _retold(refused: InvalidArgument, near: str) -> InvalidArgument:
    return InvalidArgument(
        f"{refused.reason.rstrip('.')}. {near}",
        status=refused.status,
        title=refused.title,
        message=refused.message,
        details=refused.details,
    )
