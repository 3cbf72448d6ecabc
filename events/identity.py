"""What has happened, and under which id, from Calendly's facts alone. Pure.

So a webhook delivery, a look at the API, a replica and a restart agree about each event.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

from calendly.request import JSON
from calendly.third_party_text import shown
from events import payload as payloads
from events.facts import canonical, last_segment, meeting_of, moment, part, written
from events.kinds import BOOKED, CANCELED, KINDS, MARKED, OTHER, RESCHEDULED, SUBMITTED, UNMARKED

Half = Literal["old", "new", "unmark"]
"""What waits for its other half: the old or the new meeting of a reschedule, or an unmark whose mark is not known."""

_DIGITS: Final = 32
_LONGEST_NAME: Final = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """Something that happened, as Calendly told it.

    Attributes:
        kind: Its kind.
        event_id: The id of the event.
        occurred_at: When it happened.
        data: What is stored of it: see `events.payload`.
        half: Which half it is, where the event has two.
        filter: The uuid of the event type or routing form.
        invitee: The URI of the invitee.
        addresses: The e-mail addresses in `data`.
    """

    kind: str
    event_id: str
    occurred_at: datetime
    data: JSON = field(repr=False)
    half: Half | None = None
    filter: str | None = None
    invitee: str | None = None
    addresses: frozenset[str] = field(default=frozenset(), repr=False)


class Seen(NamedTuple):
    """An invitee as Calendly tells of them.

    Attributes:
        uri: Their URI.
        meeting: The scheduled event.
        invitee: The invitee.
    """

    uri: str
    meeting: Mapping[str, Any]
    invitee: Mapping[str, Any]


def event_id(kind: str, *facts: str) -> str:
    """Make the id of an event from its kind and Calendly's facts. It has no ".", as Standard Webhooks demands."""
    digest = sha256("\n".join((kind, *facts)).encode()).hexdigest()
    return f"evt_{digest[:_DIGITS]}"


def implied(meeting: Mapping[str, Any], invitee: Mapping[str, Any]) -> list[Arrival]:
    """Return what a meeting as read from the API says has happened to one invitee, oldest first.

    Args:
        meeting: The scheduled event.
        invitee: The invitee.
    """
    uri = canonical(invitee.get("uri"))
    if uri is None:
        return []
    seen = Seen(uri, meeting, invitee)
    found = (_beginning(seen), _end(seen), _mark(seen))
    return [arrival for arrival in found if arrival is not None]


def told(event: str, created_at: str, payload: Mapping[str, Any], body: bytes, now: datetime) -> Arrival:
    """Return what a verified webhook delivery tells.

    What is unknown, or lacks what its identity needs, is of kind `other`.

    Args:
        event: Calendly's name.
        created_at: Of the envelope.
        payload: Of the envelope.
        body: The whole delivery.
        now: When what happened is said to have happened where the envelope has no time that can be read.
    """
    at = moment(created_at)
    found = _told(event, at, payload)
    if found is not None:
        return found
    data = {"kind": OTHER, "told": shown(event)[:_LONGEST_NAME], "payload": {**payload}}
    return Arrival(
        kind=OTHER,
        event_id=event_id(OTHER, sha256(body).hexdigest()),
        occurred_at=at or now,
        data=data,
        addresses=payloads.addresses_within(data),
    )


def _told(event: str, at: datetime | None, payload: Mapping[str, Any]) -> Arrival | None:
    if event in _OF_INVITEE:
        meeting = part(payload, "scheduled_event")
        if event == "invitee_no_show.deleted":
            return _unmark(at, meeting, payload)
        kinds = _OF_INVITEE[event]
        return next((arrival for arrival in implied(meeting, payload) if _is_of(arrival, kinds)), None)
    if event == "routing_form_submission.created":
        return _submission(payload)
    return _change(event, at, payload)


_OF_INVITEE: Final[Mapping[str, frozenset[tuple[str, Half | None]]]] = {
    "invitee.created": frozenset({(BOOKED, None), (RESCHEDULED, "new")}),
    "invitee.canceled": frozenset({(CANCELED, None), (RESCHEDULED, "old")}),
    "invitee_no_show.created": frozenset({(MARKED, None)}),
    "invitee_no_show.deleted": frozenset({(UNMARKED, None)}),
}


def _is_of(arrival: Arrival, kinds: frozenset[tuple[str, Half | None]]) -> bool:
    return (arrival.kind, arrival.half) in kinds


def _beginning(seen: Seen) -> Arrival | None:
    """Return the booking of an invitee, or the new half of a reschedule."""
    at, old = moment(seen.invitee.get("created_at")), canonical(seen.invitee.get("old_invitee"))
    if at is None:
        return None
    if old is None:
        return _of_invitee(BOOKED, seen, at)
    previous = {"meeting": {"uri": meeting_of(old)}, "invitee": {"uri": old}}
    return replace(_of_invitee(RESCHEDULED, seen, at, previous=previous), half="new")


def _end(seen: Seen) -> Arrival | None:
    """Return the cancellation of an invitee, or the old half of a reschedule."""
    uri, meeting, invitee = seen
    canceled = part(invitee, "cancellation") or part(meeting, "cancellation")
    at = moment(canceled.get("created_at")) or moment(invitee.get("updated_at"))
    if invitee.get("status") != "canceled" or at is None:
        return None
    if not invitee.get("rescheduled"):
        return replace(_of_invitee(CANCELED, seen, at), data=payloads.of_canceled(CANCELED, meeting, invitee, uri))
    new = canonical(invitee.get("new_invitee"))
    if new is None:
        return None
    moved = _of_invitee(RESCHEDULED, seen, at, over=new)
    return replace(moved, data=payloads.old_half(meeting, invitee, uri, new), half="old", invitee=new)


def _mark(seen: Seen) -> Arrival | None:
    """Return the no-show mark of an invitee."""
    mark = part(seen.invitee, "no_show")
    made, at = canonical(mark.get("uri")), moment(mark.get("created_at"))
    if made is None or at is None:
        return None
    return _of_invitee(MARKED, seen, at, over=made, no_show={"uri": made})


def unmark(seen: Seen, at: datetime, mark: str) -> Arrival:
    """Return the end of a mark that is known.

    Args:
        seen: The invitee.
        at: When it ended, or that was found out.
        mark: The URI of the mark.
    """
    return _of_invitee(UNMARKED, seen, at, over=mark, no_show={"uri": mark})


def _unmark(at: datetime | None, meeting: Mapping[str, Any], invitee: Mapping[str, Any]) -> Arrival | None:
    """Return the end of a mark, which Calendly may not name."""
    uri, mark = canonical(invitee.get("uri")), canonical(part(invitee, "no_show").get("uri"))
    if uri is None or at is None:
        return None
    seen = Seen(uri, meeting, invitee)
    if mark is not None:
        return unmark(seen, at, mark)
    return replace(_of_invitee(UNMARKED, seen, at, over=f"{uri}\n{written(at)}"), half="unmark")


def _of_invitee(kind: str, seen: Seen, at: datetime, *, over: str | None = None, **more: JSON) -> Arrival:
    """Return an event about an invitee, its identity over the invitee or something else."""
    uri, meeting, invitee = seen
    return Arrival(
        kind=kind,
        event_id=event_id(kind, over or uri),
        occurred_at=at,
        data={**payloads.of_invitee(kind, meeting, invitee, uri), **more},
        filter=last_segment(meeting.get("event_type")),
        invitee=uri,
        addresses=payloads.addresses_of(invitee),
    )


def _submission(payload: Mapping[str, Any]) -> Arrival | None:
    uri, at = canonical(payload.get("uri")), moment(payload.get("created_at"))
    if uri is None or at is None:
        return None
    return Arrival(
        kind=SUBMITTED,
        event_id=event_id(SUBMITTED, uri),
        occurred_at=at,
        data=payloads.of_resource(SUBMITTED, payload, uri),
        filter=last_segment(payload.get("routing_form")),
        invitee=canonical(payload.get("submitter")),
    )


def _change(event: str, envelope: datetime | None, payload: Mapping[str, Any]) -> Arrival | None:
    """Return the change of an event type, a contact or a recap."""
    if event not in KINDS or KINDS[event].told_by != (event,):
        return None
    resource = part(payload, {"contact": "contact", "meeting_recap": "recap"}.get(event.partition(".")[0])) or payload
    uri = canonical(resource.get("uri"))
    at = moment(resource.get("updated_at")) or moment(resource.get("deleted_at")) or envelope
    if uri is None or at is None:
        return None
    return Arrival(
        kind=event,
        event_id=event_id(event, uri, written(at)),
        occurred_at=at,
        data=payloads.of_resource(event, resource, uri),
        filter=last_segment(uri) if event.startswith("event_type.") else None,
        addresses=payloads.addresses_within(resource) if event.startswith("contact.") else frozenset(),
    )
