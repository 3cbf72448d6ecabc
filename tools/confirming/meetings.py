"""The questions for meetings and scheduling links, and what these calls are about.

Conditions are checked with the person's access: the agent learns only whether a call is within its
limits. What cannot be read is outside them, and only what a condition asks for is read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import Final

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, Identifier, InvalidIdentifier, ScheduledEventId, UserId
from calendly.models.reading import UNRECOGNIZED
from calendly.side_by_side import side_by_side
from tools.booking.create_event_invitee import InviteeFields, booking_start, create_event_invitee
from tools.booking.scheduling_links import create_single_use_scheduling_link
from tools.confirming.moves import plan_of
from tools.confirming.questions import (
    FOR_GOOD,
    LONGEST_TEXT,
    Clock,
    WriteEffects,
    about,
    clock_of,
    event_type_fact,
    if_allowed,
    local_time,
)
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.event_types.settings import list_event_type_hosts
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event
from tools.fields import LARGEST_PAGE, MOST_PAGES
from tools.times import instant, sent_time
from tools.toolset.declaring import Call
from tools.toolset.effects import Affected
from tools.toolset.errors import TooLate, ToolError
from tools.toolset.lists import Page
from tools.toolset.question import Fact, Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of
from tools.workflows.rescheduling import reschedule_scheduled_event

_MAILED: Final = "Calendly will e-mail"


@dataclass(frozen=True, slots=True)
class _MeetingTold:
    """A meeting as a question describes it.

    Attributes:
        name: Its name.
        time: When it is, such as `Tue 1 Dec 2026, 10:00 (Europe/Berlin)`; None if that is not known.
        invitees: Who comes; none if they are hidden.
        mailed: Whom Calendly e-mails; None if that is nobody.
        over: Why it can no longer be canceled; None if it can or that is unknown.
        clocks: The zones of its hosts and invitees.
    """

    name: Fact
    time: str | None
    invitees: Fact | None
    mailed: Fact | None
    over: str | None
    clocks: Sequence[Clock]


async def _book(
    call: Call,
    event_type: EventTypeId,
    start_time: datetime,
    invitee: InviteeFields,
    event_guests: list[str] | None = None,
    timezone: str | None = None,
    **_: object,
) -> Question:
    start = await booking_start(call, start_time, timezone, invitee["timezone"])
    name = invitee.get("name") or f"{invitee.get('first_name')} {invitee.get('last_name') or ''}"
    hosts = await _hosts_of(call, event_type)
    when = await local_time(call, start, [*hosts, Clock("invitee", invitee["timezone"])])
    facts = (
        await event_type_fact(call, event_type),
        *_when("When", when),
        typed("Invitee", name),
        typed(_MAILED, invitee["email"], *(event_guests or [])),
    )
    return Question("Book a meeting", facts)


async def _book_affects(
    call: Call,
    aspects: Collection[str],
    event_type: EventTypeId,
    invitee: InviteeFields,
    event_guests: list[str] | None = None,
    **_: object,
) -> Affected:
    return Affected(
        event_types=frozenset({event_type.uuid}),
        hosts=await _owner(call, event_type) if "hosts" in aspects else None,
        addresses=frozenset({invitee["email"], *(event_guests or [])}),
    )


async def _cancel(call: Call, scheduled_event: ScheduledEventId, reason: str | None = None) -> Question:
    meeting = await _meeting(call, scheduled_event)
    facts = _lines(meeting.name, *_when("When", meeting.time), meeting.invitees, meeting.mailed, _reason(reason))
    question = Question("Cancel a meeting", facts, (FOR_GOOD,))
    if meeting.over is not None:
        raise TooLate(meeting.over, question)
    return question


async def _cancel_affects(
    call: Call, aspects: Collection[str], scheduled_event: ScheduledEventId, **_: object
) -> Affected:
    try:
        event = await call.inquire(get_scheduled_event)(scheduled_event)
    except (CalendlyError, ToolError):
        return Affected()
    if UNRECOGNIZED in event:  # a host or a guest may be among it
        return Affected()
    return Affected(
        event_types=_uuids(EventTypeId, [event.get("event_type")]),
        hosts=_uuids(UserId, [host.get("user") for host in event.get("event_memberships") or []]),
        addresses=await _told(call, scheduled_event, event) if "domains" in aspects else None,
    )


async def _reschedule(
    call: Call,
    scheduled_event: ScheduledEventId,
    start_time: datetime,
    reason: str | None = None,
    timezone: str | None = None,
) -> Question:
    meeting = await _meeting(call, scheduled_event)
    start = await instant(call.caller, "start_time", start_time, timezone=timezone)
    plan = await plan_of(call, scheduled_event, start)
    label = f"{_MAILED} about both" if plan.is_whole else _MAILED
    facts = _lines(
        meeting.name,
        *_when("From", meeting.time),
        *_when("To", await local_time(call, start, meeting.clocks)),
        meeting.invitees,
        replace(meeting.mailed, label=label) if meeting.mailed else None,
        *(stored(change.label, change.text) for change in plan.changes if change.text is not None),
        _reason(reason),
    )
    other = [change.phrase for change in plan.changes if change.text is None]
    unlike = (f"It will not be all the same: {'; '.join(other)}.",) if other else ()
    return Question("Move a meeting", facts, (plan.order, *unlike, FOR_GOOD))


async def _reschedule_affects(
    call: Call, aspects: Collection[str], scheduled_event: ScheduledEventId, **_: object
) -> Affected:
    """Return what both meetings affect, the canceled one and the new one: they share event type and people."""
    old = await _cancel_affects(call, aspects, scheduled_event)
    if "hosts" not in aspects or old.hosts is None or not old.event_types:
        return old
    owners = [await _owner(call, EventTypeId(uuid)) for uuid in old.event_types]
    hosts = None if None in owners else old.hosts.union(*(owner for owner in owners if owner))
    return replace(old, hosts=hosts)


async def _create_link(call: Call, owner: EventTypeId, **_: object) -> Question:
    return Question("Create a link with which anyone can book once", (await event_type_fact(call, owner),))


async def _link_affects(call: Call, aspects: Collection[str], owner: EventTypeId, **_: object) -> Affected:
    return Affected(
        event_types=frozenset({owner.uuid}), hosts=await _owner(call, owner) if "hosts" in aspects else None
    )


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_event_invitee): WriteEffects(_book, _book_affects),
        tool_of(cancel_scheduled_event): WriteEffects(_cancel, _cancel_affects),
        tool_of(reschedule_scheduled_event): WriteEffects(_reschedule, _reschedule_affects),
        tool_of(create_single_use_scheduling_link): WriteEffects(_create_link, _link_affects),
    }
)


async def _meeting(call: Call, scheduled_event: ScheduledEventId) -> _MeetingTold:
    await about(call, get_scheduled_event, scheduled_event)
    event = await if_allowed(call.via(get_scheduled_event)(scheduled_event))
    people = await if_allowed(
        call.via(list_event_invitees)(scheduled_event, status="active", count=LARGEST_PAGE, max_pages=MOST_PAGES)
    )
    invitees = people.get("collection", []) if people else []
    clocks = [Clock("invitee", invitee.get("timezone")) for invitee in invitees] if people and _is_whole(people) else []
    name, when = stated("Meeting", str(scheduled_event)), None
    if event:
        hosts = [host.get("user") for host in event.get("event_memberships") or []]
        clocks = [*await _clocks_of(call, hosts), *clocks]
        name = stored("Meeting", event.get("name"))
        when = await local_time(call, sent_time(event.get("start_time")), clocks)
    active = ((event.get("invitees_counter") or {}).get("active") or 0) if event and people else 0
    names = stored("Invitees", *(invitee.get("name") for invitee in invitees), total=active)
    addresses = [invitee.get("email") for invitee in invitees]
    if event and people:  # who may not see invitees is not told of guests either
        guests = event.get("event_guests") or []
        addresses += [guest.get("email") for guest in guests]
        active += len(guests)
    mailed = stored(_MAILED, *addresses, total=active)
    hidden = None if event and people else stated(_MAILED, "the invitees")
    return _MeetingTold(
        name=name,
        time=when,
        invitees=names if names.texts else None,
        mailed=mailed if mailed.texts else hidden,
        over=_why_over(event, call.caller.now()) if event else None,
        clocks=clocks,
    )


def _when(label: str, time: str | None) -> tuple[Fact, ...]:
    return () if time is None else (stated(label, time),)


def _lines(*facts: Fact | None) -> tuple[Fact, ...]:
    return tuple(fact for fact in facts if fact is not None)


def _reason(reason: str | None) -> Fact | None:
    return typed("Reason that they read", reason, most=LONGEST_TEXT) if reason else None


async def _hosts_of(call: Call, event_type: EventTypeId) -> list[Clock]:
    """Return the clocks of all who will host: of the only host, or of those who host together."""
    kind = await if_allowed(call.via(get_event_type)(event_type)) or {}
    profile = kind.get("profile") or {}
    people = [profile.get("owner")] if profile.get("type") == "User" else []
    if kind.get("pooling_type") == "collective":
        page = await if_allowed(call.via(list_event_type_hosts)(event_type, count=LARGEST_PAGE))
        members = [row.get("member") or models.User() for row in page.get("collection", [])] if page else []
        people = [member.get("uri") for member in members]
    return await _clocks_of(call, people)


async def _clocks_of(call: Call, hosts: Sequence[str | None]) -> list[Clock]:
    found = await side_by_side([partial(clock_of, call, host) for host in hosts])
    return [clock for clock in found if clock]


def _why_over(event: models.ScheduledEvent, now: datetime) -> str | None:
    """Return why a meeting can no longer be canceled; None if it can or that is unknown."""
    if event.get("status") == "canceled":
        return "This meeting is canceled already; get_scheduled_event tells by whom and why."
    end = sent_time(event.get("end_time"))
    return "This meeting is over." if end and end <= now else None


async def _told(call: Call, scheduled_event: ScheduledEventId, event: models.ScheduledEvent) -> frozenset[str] | None:
    """Return whom Calendly e-mails about a cancellation; None if the list is incomplete.

    Invitees who canceled earlier get no e-mail. Calendly does not say whose guest a guest is, so
    all of them count.
    """
    invitees = call.inquire(list_event_invitees)
    try:
        found = await invitees(scheduled_event, status="active", count=LARGEST_PAGE, max_pages=MOST_PAGES)
    except (CalendlyError, ToolError):
        return None
    if not _is_whole(found):
        return None
    people = [*found.get("collection", []), *(event.get("event_guests") or [])]
    return frozenset(person.get("email") or "" for person in people)


def _is_whole(page: Page[models.Invitee]) -> bool:
    """Return whether a list has no further page, as far as its end is readable."""
    pagination = page.get("pagination", {})
    return UNRECOGNIZED not in pagination and pagination.get("next_page_token") is None


async def _owner(call: Call, event_type: EventTypeId) -> frozenset[str] | None:
    """Return the host of an event type; None if it has several, since Calendly does not list them."""
    try:
        kind = await call.inquire(get_event_type)(event_type)
    except (CalendlyError, ToolError):
        return None
    profile = kind.get("profile") or {}
    is_ones_own = profile.get("type") == "User" and not kind.get("pooling_type")
    return _uuids(UserId, [profile.get("owner")]) if is_ones_own else None


def _uuids(kind: type[Identifier], uris: Iterable[str | None]) -> frozenset[str] | None:
    try:
        return frozenset(kind.parse(uri or "").uuid for uri in uris)
    except InvalidIdentifier:
        return None
