"""The last bookings of an agent, made or perhaps made, kept until Calendly's lists surely show them.

Where a time stays open after a booking, the same call again would book the same invitee a second time.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast

from calendly.errors import CalendlyError, NotFound
from calendly.identifiers import InvalidIdentifier, ScheduledEventId
from tools.booking.booked import Booked
from tools.booking.lookup import BookingSought
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.times import sent_time, wire
from tools.toolset.declaring import Call
from tools.toolset.errors import ToolError

LISTED_BY_THEN: Final = timedelta(minutes=30)
"""After how long Calendly's lists are trusted to have a booking: new ones show late, by seconds as far as is known."""


async def remember(call: Call, wanted: BookingSought, booked: Booked | None = None) -> None:
    """Keep a booking that was made, or is about to be sent. Where that fails, only the lists tell of it."""
    key, what = _named(wanted)
    made = {name: booked.get(name) for name in ("uri", "event", "email")} if booked else {}
    kept = {**made, "at": wire(call.caller.now())}
    with suppress(CalendlyError):
        ledger = await call.caller.ledger()
        await ledger.reserve(key, what)
        await ledger.settle(key, what, cast("dict[str, Any]", kept))


async def forget(call: Call, wanted: BookingSought) -> None:
    """Forget a booking that was sent and that Calendly certainly does not have; another call's answer is kept."""
    if "uri" in await _kept(call, wanted):
        return
    with suppress(CalendlyError):
        await (await call.caller.ledger()).release(_named(wanted)[0])


async def unsettled_until(call: Call, wanted: BookingSought) -> datetime | None:
    """Return until when a booking that was sent and not answered may show late, None without such a one."""
    kept = await _kept(call, wanted)
    at = sent_time(kept.get("at"))
    return None if at is None or "uri" in kept else at + LISTED_BY_THEN


async def remembered(call: Call, wanted: BookingSought) -> str | None:
    """Return the URI of the invitee of a booking made a moment ago that is not canceled, None without one."""
    kept = await _kept(call, wanted)
    if "uri" not in kept:
        return None
    try:
        event = await call.inquire(get_scheduled_event)(ScheduledEventId.parse(kept.get("event") or ""))
    except NotFound:  # what is late is the lists alone
        return None
    except (CalendlyError, ToolError, InvalidIdentifier):
        return kept.get("uri")
    return None if event.get("status") == "canceled" else kept.get("uri")


async def _kept(call: Call, wanted: BookingSought) -> dict[str, Any]:
    """Return what was noted of a booking while the lists may lack it, else nothing."""
    key, what = _named(wanted)
    try:
        found = await (await call.caller.ledger()).recall(key, what)
    except CalendlyError:
        return {}
    kept = dict[str, Any]((found.answer if found else None) or {})
    at = sent_time(kept.get("at"))
    return {} if at is None or call.caller.now() - at > LISTED_BY_THEN else kept


def _named(wanted: BookingSought) -> tuple[str, dict[str, object]]:
    what = {"event_type": wanted.event_type.uri, "start_time": wire(wanted.start), "email": wanted.email.casefold()}
    return f"booked {' '.join(what.values())}", {**what}
