"""The open slots of an event type: its hosts' working hours minus busy times, within its own limits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.booking.limits import full_at
from sandbox.records.event_types import DateLimits, StoredEventType
from sandbox.records.people import StoredSchedule
from sandbox.records.records import Records
from sandbox.records.scheduled_events import StoredScheduledEvent
from sandbox.records.slots import WEEKEND, Rhythm, TimeSpan, open_starts

BOOKING_HORIZON: Final = timedelta(days=60)
DEFAULT_INCREMENT: Final = 30  # minutes, where the type has none


@dataclass(frozen=True)
class Opening:
    """An open slot.

    Attributes:
        start: When it starts.
        invitees_remaining: How many invitees can still book it.
        hosts: Ids of the users who would host it.
        joins: The existing meeting of a group event type that a booking joins.
    """

    start: datetime
    invitees_remaining: int
    hosts: tuple[str, ...]
    joins: StoredScheduledEvent | None = None


def openings(records: Records, kind: StoredEventType, window: TimeSpan, now: datetime) -> list[Opening]:
    """Return the open slots that start within the window, in order.

    There are none in the past, beyond the booking horizon, or of a type that is inactive or deleted.
    """
    if not kind.active or kind.deleted_at is not None:
        return []
    horizon = timedelta(days=366) if kind.date_limits else BOOKING_HORIZON
    window = TimeSpan(max(window.start, now), min(window.end, now + horizon))
    found = {opening.start: opening for opening in _free(records, kind, window)}
    found.update({opening.start: opening for opening in _joinable(records, kind, window)})
    return [found[start] for start in sorted(found)]


def _joinable(records: Records, kind: StoredEventType, window: TimeSpan) -> list[Opening]:
    meetings = [
        event
        for event in records.events.values()
        if event.event_type == kind.id
        and event.cancellation is None
        and window.start <= event.times.start < window.end
        and len(event.active_invitees) < kind.invitee_limit
    ]
    return [
        Opening(event.times.start, kind.invitee_limit - len(event.active_invitees), event.hosts, event)
        for event in meetings
    ]


def _free(records: Records, kind: StoredEventType, window: TimeSpan) -> list[Opening]:
    rhythm = Rhythm(
        duration=timedelta(minutes=kind.duration),
        step=timedelta(minutes=kind.increment or DEFAULT_INCREMENT),
        before=timedelta(minutes=kind.before_buffer),
        after=timedelta(minutes=kind.after_buffer),
    )
    starts = {host: _starts(records, kind, host, rhythm, window) for host in kind.hosts}
    return [
        Opening(start, kind.invitee_limit, hosts)
        for start in sorted({start for found in starts.values() for start in found})
        if (hosts := _hosts_at(records, kind, [host for host in kind.hosts if start in starts[host]]))
        and _allowed(kind.date_limits, TimeSpan(start, start + rhythm.duration))
    ]


def _hosts_at(records: Records, kind: StoredEventType, free: list[str]) -> tuple[str, ...]:
    """Return who hosts: all hosts or none, or for a round robin the one with the fewest meetings."""
    if kind.pooling_type != "round_robin":
        return kind.hosts if len(free) == len(kind.hosts) else ()
    met = {host: sum(host in event.hosts for event in records.events.values()) for host in free}
    return (min(free, key=lambda host: met[host]),)


def _starts(records: Records, kind: StoredEventType, host: str, rhythm: Rhythm, window: TimeSpan) -> set[datetime]:
    hours = kind.own_hours.get(host) or schedule_of(records, kind, host).hours
    is_full = full_at(records, host, hours.zone)
    return {start for start in open_starts(hours, rhythm, _busy(records, host), window) if not is_full(start)}


def schedule_of(records: Records, kind: StoredEventType, host: str) -> StoredSchedule:
    """Return the schedule whose hours count for a host of an event type, unless it has its own."""
    chosen = records.schedules.get(kind.schedule or "")
    if chosen is not None and chosen.user == host:
        return chosen
    return next(plan for plan in records.schedules.values() if plan.user == host and plan.default)


def _busy(records: Records, host: str) -> list[TimeSpan]:
    meetings = [
        event.buffered_times for event in records.events.values() if host in event.hosts and event.cancellation is None
    ]
    return meetings + [busy.interval for busy in records.users[host].busy_times]


def _allowed(limits: DateLimits | None, meeting: TimeSpan) -> bool:
    if limits is None:
        return True
    if limits.spots:
        return any(spot.contains(meeting) for spot in limits.spots)
    day = meeting.start.astimezone(ZoneInfo(limits.timezone)).date()
    return limits.first <= day <= limits.last and not (limits.only_weekdays and day.weekday() in WEEKEND)
