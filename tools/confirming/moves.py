"""What the question about a moved meeting says of the order, and of what an earlier call has done already."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import ScheduledEventId
from tools.booking.booked import Booked
from tools.booking.lookup import booked_already
from tools.endpoints.event_types.event_types import get_event_type
from tools.times import wire
from tools.toolset.declaring import Call
from tools.toolset.errors import ToolError
from tools.workflows.carried_over import Change, carry_over
from tools.workflows.in_the_way import overlaps
from tools.workflows.meeting_to_move import MeetingToMove, meeting_to_move
from tools.workflows.promise import Promise
from tools.workflows.rescheduling import stands


class MovePlan(NamedTuple):
    """What a call that moves a meeting will do.

    Attributes:
        order: In which order, a sentence.
        changes: What will not be as it was.
        is_whole: It both books and cancels: no earlier call did one of them.
    """

    order: str
    changes: Sequence[Change] = ()
    is_whole: bool = True


async def plan_of(call: Call, scheduled_event: ScheduledEventId, start: datetime) -> MovePlan:
    """Say what is left to do of moving a meeting, and what will not be as it was."""
    usual = "Calendly cannot reschedule, so the new time is booked first, then the old meeting canceled"
    try:
        old = await meeting_to_move(call, scheduled_event)
        kind = await call.inquire(get_event_type)(old.event_type)
        is_booked = await _is_booked(call, old, start)
    except (CalendlyError, ToolError):
        return MovePlan(f"{usual}.")
    if is_booked:
        return MovePlan("The new time is booked already, and only the old meeting is left to cancel.", is_whole=False)
    changes = carry_over(old.event, old.invitee, kind, "UTC").changes
    if not old.is_active:
        left = "The old meeting is canceled already; the new time is booked, or the old one again if that fails."
        return MovePlan(left, changes, is_whole=False)
    if overlaps(old.span, kind, start):
        usual = (
            f"{usual}; but where it offers the new time only once the old meeting is gone, that is canceled first, and "
            "booked again if the new time then fails"
        )
    return MovePlan(f"{usual}.", changes)


async def _is_booked(call: Call, old: MeetingToMove, start: datetime) -> bool:
    """Return whether the new time is booked for the invitee, as far as the ledger or Calendly tells."""
    what = {"scheduled_event": old.uri, "start_time": wire(start)}
    earlier = await Promise(await call.caller.ledger(), what, call.caller.now).recall() or {}
    if "invitee" in earlier:
        return await stands(call, models.read(Booked, earlier["invitee"]))
    if old.is_active and not earlier:
        return False  # another meeting of the same person is not the new one
    return await booked_already(call, old.booked_at(start)) is not None
