"""What a booking answers: the invitee, and the meeting as it is for everybody concerned.

Calendly's own answer names neither the event type nor a time. The meeting is read right after; where
that fails or Calendly does not show it yet, what was sent and the event type say the same.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from functools import partial
from typing import Annotated, Final, cast

import anyio
from pydantic import Field
from typing_extensions import TypedDict

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import InvalidIdentifier, ScheduledEventId, UserId
from calendly.models.location_kinds import written_kind
from calendly.models.personal import Personal
from calendly.models.scheduled_event import BY_INVITEE
from calendly.side_by_side import side_by_side
from tools.answers.local_times import told
from tools.booking.answers import AnswerSent, not_kept
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.endpoints.users import get_user
from tools.times import sent_length, sent_time, wire, zone_if_known
from tools.toolset.declaring import Body, Call
from tools.toolset.errors import ToolError
from tools.zones import zone_of

_PATIENCE: Final = 6.0
"""Time limit for the reads after a booking, in seconds."""

_MOST_HOSTS: Final = 5
_OF_INVITEE: Final = Personal(unless=("of", frozenset({"host", "you"})))


class BodySent(TypedDict, total=False):
    """The body of a booking, as far as it is compared with what came of it."""

    start_time: str
    invitee: dict[str, str]
    location: dict[str, str]
    questions_and_answers: list[AnswerSent]
    tracking: dict[str, str | None]
    event_guests: list[str]


class LocalTime(TypedDict, total=False):
    """When the meeting is, on the clock of some of the people."""

    of: Annotated[str, Field(description="host, you or invitee")]
    timezone: Annotated[str, _OF_INVITEE]
    start: Annotated[str, _OF_INVITEE]
    end: Annotated[str, _OF_INVITEE]


class PlaceBooked(TypedDict, total=False):
    """Where the meeting happens."""

    type: str | None
    location: Annotated[str | None, BY_INVITEE]
    additional_info: Annotated[str | None, BY_INVITEE]
    status: Annotated[str | None, Field(description="of a conference: there is a join_url once pushed")]
    join_url: str | None


class MeetingBooked(TypedDict, total=False):
    """The meeting that was booked."""

    name: Annotated[str | None, Field(description="of the event type")]
    start_time: str | None
    end_time: str | None
    location: PlaceBooked | None
    hosts: list[str]
    local_times: list[LocalTime]


class Booked(models.Invitee, total=False):
    """An invitee with the fields that booking adds."""

    scheduled_event: Annotated[MeetingBooked, Field(description="the meeting")]
    not_kept: Annotated[list[str], Field(description="what was sent and Calendly did not keep: tell the user")]
    unchecked: Annotated[list[str] | None, Field(description="checks before booking that could not be made")]


async def with_meeting(call: Call, booked: Booked, body: Body, kind: models.EventType | None) -> Booked:
    """Return a booking with its meeting, and with what Calendly did not keep of `body`.

    Args:
        call: The call that booked.
        booked: Calendly's answer.
        body: What was sent.
        kind: The event type, None if it could not be read.
    """
    sent, event = cast("BodySent", body), cast("models.ScheduledEvent | None", None)
    people = list[tuple[str, str | None]]()
    with anyio.move_on_after(_PATIENCE):
        event = await _event(call, booked)
        people = await _hosts(call, event or {}, kind or {})
    meeting = _meeting(event, sent, kind or {})
    people.append(("invitee", booked.get("timezone") or sent.get("invitee", {}).get("timezone")))
    meeting["local_times"] = _local_times(meeting, people)
    told: Booked = {**booked, "scheduled_event": meeting}
    lost = [*_lost(booked, sent), *(_lost_by_event(event, sent) if event else [])]
    return {**told, "not_kept": lost} if lost else told


async def _event(call: Call, booked: Booked) -> models.ScheduledEvent | None:
    try:
        event = await call.inquire(get_scheduled_event)(ScheduledEventId.parse(booked.get("event") or ""))
    except (CalendlyError, ToolError, InvalidIdentifier):
        return None
    return event if sent_time(event.get("start_time")) else None


async def _hosts(call: Call, event: models.ScheduledEvent, kind: models.EventType) -> list[tuple[str, str | None]]:
    """Return the zones of the hosts, or where none is known that of the caller."""
    profile = kind.get("profile") or {}
    owner = [profile.get("owner")] if profile.get("type") == "User" else []
    users = [host.get("user") for host in event.get("event_memberships") or []] or owner
    zones = await side_by_side([partial(_zone_of_host, call, user or "") for user in users[:_MOST_HOSTS]])
    known = dict.fromkeys(zone for zone in zones if zone)
    own = await zone_if_known(call.caller)
    return [("host", zone) for zone in known] or [("you", str(own) if own else None)]


async def _zone_of_host(call: Call, uri: str) -> str | None:
    try:
        user = UserId.parse(uri)
        identity = await call.caller.identity()
        return identity.timezone if user == identity.user else (await call.inquire(get_user)(user)).get("timezone")
    except (CalendlyError, ToolError, InvalidIdentifier):
        return None


def _meeting(event: models.ScheduledEvent | None, body: BodySent, kind: models.EventType) -> MeetingBooked:
    if event is not None:
        place = event.get("location") or {}
        there = {
            **{name: event.get(name) for name in ("name", "start_time", "end_time")},
            "location": {name: place.get(name) for name in PlaceBooked.__annotations__ if place.get(name)},
            "hosts": [name for host in event.get("event_memberships") or [] if (name := host.get("user_name"))],
        }
        return cast("MeetingBooked", {name: value for name, value in there.items() if value})
    start, length = sent_time(body.get("start_time")), sent_length(kind.get("duration"))
    chosen = body.get("location")
    end = start + length if start and length else None
    return cast(
        "MeetingBooked",
        {
            "name": kind.get("name"),
            "start_time": wire(start) if start else None,
            "end_time": wire(end) if end else None,
            "location": {"type": chosen["kind"], "location": chosen.get("location")} if chosen else None,
        },
    )


def _local_times(meeting: MeetingBooked, people: Iterable[tuple[str, str | None]]) -> list[LocalTime]:
    ends = {"start": sent_time(meeting.get("start_time")), "end": sent_time(meeting.get("end_time"))}
    return [
        cast("LocalTime", {"of": who, "timezone": str(zone), **_told(ends, zone)})
        for who, name in people
        if (zone := zone_of(name))
    ]


def _told(ends: Mapping[str, datetime | None], zone: tzinfo) -> dict[str, str]:
    return {name: told(time.astimezone(zone)) for name, time in ends.items() if time}


def _lost(booked: Booked, sent: BodySent) -> list[str]:
    """Return what the invitee in Calendly's answer lacks. A field that is missing says nothing."""
    answers, tracking = booked.get("questions_and_answers"), booked.get("tracking")
    lost = [] if answers is None else not_kept(sent.get("questions_and_answers", []), answers)
    if sent.get("invitee", {}).get("text_reminder_number") and booked.get("text_reminder_number", "") is None:
        lost.append("invitee.text_reminder_number")
    if tracking is not None:
        given = [name for name, value in sent.get("tracking", {}).items() if value]
        lost += [f"tracking.{name}" for name in given if not tracking.get(name)]
    return lost


def _lost_by_event(event: models.ScheduledEvent, sent: BodySent) -> list[str]:
    """Return what the meeting lacks of what was sent."""
    lost: list[str] = []
    guests, there = sent.get("event_guests", []), event.get("event_guests")
    if there is not None:
        known = {(guest.get("email") or "").casefold() for guest in there}
        missing = sum(guest.casefold() not in known for guest in guests)
        lost += [f"{missing} of {len(guests)} guests"] if missing else []
    place, chosen = event.get("location"), sent.get("location")
    if chosen and place and written_kind(place.get("type") or "") not in {None, chosen["kind"]}:
        lost.append(f"the location {chosen['kind']}")
    return lost
