"""The meeting that took the place of a moved one: by an agent's earlier call, or by the invitee on Calendly's page.

A move ends one meeting and books another, which may have been moved again. Who asks to move the first
one means the last one.
"""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import InvalidIdentifier, InviteeId, ScheduledEventId
from tools.answers.views import Meeting
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.times import sent_time, wire
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ToolError
from tools.workflows.meeting_to_move import LOOK_FIRST, not_movable
from tools.workflows.promise import Promise

_LONGEST_CHAIN: Final = 20


class _Link(NamedTuple):
    """A meeting of the chain, with its invitee as far as that could be read."""

    event: Meeting
    invitee: models.Invitee


async def moved_on(call: Call, promise: Promise, event: Meeting, invitee: models.Invitee) -> ArgumentError:
    """Return the error for a canceled meeting: where it is now, or that nothing took its place.

    Args:
        call: The call that would move it.
        promise: The promise to move it, which leads to earlier ones.
        event: The meeting.
        invitee: Its invitee.
    """
    unfinished = await promise.to_another_time()
    earlier = await unfinished.recall() if unfinished else None
    if unfinished and earlier is not None and "invitee" not in earlier:
        start = unfinished.what["start_time"]
        told = f"An earlier call has begun to move it to {start}. Call again with start_time {start}: that finishes it."
        return ArgumentError.of("start_time", told)
    link = await _last(call, promise, _Link(event, invitee))
    start = sent_time(link.event.get("start_time"))
    when = f" to {wire(start)}" if start else ""
    if link.event is event:
        return not_movable("It is canceled, and nothing tells of a move.", LOOK_FIRST)
    if link.event.get("status") == "canceled":
        return not_movable(f"It was moved{when}, and that meeting is canceled since.", LOOK_FIRST)
    return ArgumentError.of("scheduled_event", f"It was moved{when}. Pass scheduled_event={link.event.get('uri')}.")


async def _last(call: Call, promise: Promise, link: _Link) -> _Link:
    """Follow a chain of moves to its last meeting."""
    for _ in range(_LONGEST_CHAIN):
        following = await _next(promise, link)
        if link.event.get("status") != "canceled" or following is None:
            break
        link = await _read(call, following)
    return link


async def _next(promise: Promise, link: _Link) -> ScheduledEventId | None:
    """Return the meeting that took a meeting's place, by an earlier call or by its invitee; None if unknown."""
    what = {"scheduled_event": link.event.get("uri"), "start_time": ""}
    moved = await replace(promise, what=what).to_another_time()
    progress = await moved.recall() if moved else None
    booked: dict[str, Any] = (progress or {}).get("invitee") or {}
    for text in (booked.get("uri"), link.invitee.get("new_invitee")):
        try:
            invitee = InviteeId.parse(text or "")
        except InvalidIdentifier:
            continue
        if invitee.scheduled_event:
            return ScheduledEventId(invitee.scheduled_event)
    return None


async def _read(call: Call, identifier: ScheduledEventId) -> _Link:
    """Read a meeting of the chain; one that cannot be read is taken to stand."""
    try:
        event = await call.via(get_scheduled_event)(identifier)
        page = await call.via(list_event_invitees)(identifier, status="canceled", count=1)
    except (CalendlyError, ToolError):
        return _Link({"uri": identifier.uri}, models.Invitee())
    return _Link(event, next(iter(page.get("collection", [])), models.Invitee()))
