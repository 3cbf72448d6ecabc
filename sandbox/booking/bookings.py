"""Books, cancels, reschedules and marks no-shows: changes the records, mails people and sends webhooks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.booking.openings import Opening, openings
from sandbox.errors import ApiError, invalid_argument
from sandbox.records.event_types import StoredEventType
from sandbox.records.identifiers import new_id
from sandbox.records.locations import read_location
from sandbox.records.people import StoredUser
from sandbox.records.scheduled_events import (
    StoredAnswer,
    StoredCancellation,
    StoredGuest,
    StoredInvitee,
    StoredScheduledEvent,
)
from sandbox.records.slots import TimeSpan
from sandbox.state.sandbox import Sandbox


@dataclass(frozen=True)
class BookingRequest:
    """A booking to make.

    Attributes:
        kind: The event type.
        start: The start of the slot.
        email: The invitee's address.
        name: The invitee's full name.
        timezone: The invitee's time zone; None where it is unknown.
        first_name: The first name, where it was given apart.
        last_name: The last name, where it was given apart.
        text_reminder_number: The number for text reminders.
        location: The chosen location.
        answers: The answers to custom questions.
        tracking: The tracking parameters.
        guests: Addresses of the guests.
        method: `api` for a booking through the API, None on a page.
        booked_by: Id of the user who booked through the API.
        old_invitee: URI of the invitee who rescheduled.
    """

    kind: StoredEventType
    start: datetime
    email: str
    name: str
    timezone: str | None
    first_name: str | None = None
    last_name: str | None = None
    text_reminder_number: str | None = None
    location: Mapping[str, str] | None = None
    answers: tuple[StoredAnswer, ...] = ()
    tracking: Mapping[str, str | None] | None = None
    guests: tuple[str, ...] = ()
    method: Literal["api"] | None = None
    booked_by: str | None = None
    old_invitee: str | None = None


def slot_taken() -> ApiError:
    """Return the 400 for a start that is no open slot."""
    return invalid_argument(
        {"parameter": "event.start_time", "message": "That start time has been filled", "code": "already_filled"}
    )


def find_opening(sandbox: Sandbox, kind: StoredEventType, start: datetime) -> Opening:
    """Return the open slot at `start`.

    Raises:
        ApiError: 400 already_filled.
    """
    found = openings(sandbox.records, kind, TimeSpan(start, start + timedelta.resolution), sandbox.clock.now())
    if not found:
        raise slot_taken()
    return found[0]


def book(sandbox: Sandbox, booking: BookingRequest) -> StoredInvitee:
    """Book an open slot, mail everyone, and send the webhooks.

    Raises:
        ApiError: 400 already_filled.
    """
    opening = find_opening(sandbox, booking.kind, booking.start)
    now = sandbox.clock.now()
    event = opening.joins or _new_event(sandbox, booking, opening)
    invitee = StoredInvitee(
        id=new_id(),
        event=event.id,
        email=booking.email,
        name=booking.name,
        first_name=booking.first_name,
        last_name=booking.last_name,
        timezone=booking.timezone,
        created_at=now,
        updated_at=now,
        listed_at=now + sandbox.read_lag,
        answers=booking.answers,
        tracking=booking.tracking or {},
        text_reminder_number=booking.text_reminder_number,
        scheduling_method=booking.method,
        scheduled_by=booking.booked_by,
        old_invitee=booking.old_invitee,
    )
    event.invitees.append(invitee)
    event.guests += [StoredGuest(address, now) for address in booking.guests]
    event.updated_at = now
    sandbox.records.events[event.id] = event
    _mail_booking(sandbox, event, invitee, booking.guests)
    sandbox.announce("invitee.created", event, invitee)
    return invitee


def _new_event(sandbox: Sandbox, booking: BookingRequest, opening: Opening) -> StoredScheduledEvent:
    now = sandbox.clock.now()
    kind = booking.kind
    location = booking.location or (kind.locations[0] if kind.locations else None)
    identifier = new_id()
    connected = any(sandbox.records.users[host].calendar for host in opening.hosts)
    return StoredScheduledEvent(
        id=identifier,
        event_type=kind.id,
        organization=kind.organization,
        hosts=opening.hosts,
        name=kind.name,
        times=TimeSpan(opening.start, opening.start + timedelta(minutes=kind.duration)),
        location=None if location is None else read_location(kind, location, identifier),
        invitee_limit=kind.invitee_limit,
        created_at=now,
        updated_at=now,
        listed_at=now + sandbox.read_lag,
        before_buffer=kind.before_buffer,
        after_buffer=kind.after_buffer,
        calendar_event=f"calendar-{identifier[:8]}" if connected else None,
    )


def _mail_booking(
    sandbox: Sandbox, event: StoredScheduledEvent, invitee: StoredInvitee, guests: tuple[str, ...]
) -> None:
    """Mail everyone. Only the invitee's mail has the links to cancel and to reschedule."""
    subject = f"New event: {event.name}"
    text = f"{invitee.name} and {event.name}, {event.times.start:%Y-%m-%d %H:%M} UTC."
    own_text = f"{text} Cancel: {invitee.cancel_url} Reschedule: {invitee.reschedule_url}"
    others = [*guests, *(host.email for host in _hosts(sandbox, event))]
    sandbox.outbox.send(invitee.created_at, [invitee.email], subject, own_text, event.uri)
    sandbox.outbox.send(invitee.created_at, others, subject, text, event.uri)


def _hosts(sandbox: Sandbox, event: StoredScheduledEvent) -> list[StoredUser]:
    return [sandbox.records.users[host] for host in event.hosts]


def cancel_event(
    sandbox: Sandbox, event: StoredScheduledEvent, canceler: StoredUser, reason: str | None
) -> StoredCancellation:
    """Cancel a meeting for all its invitees."""
    now = sandbox.clock.now()
    cancellation = StoredCancellation(canceler.name, reason, "host", now)
    told = event.active_invitees
    event.cancellation = cancellation
    event.updated_at = now
    for invitee in told:
        _mark_canceled(invitee, cancellation)
    people = [*(invitee.email for invitee in told), *(guest.email for guest in event.guests)]
    _mail_cancellation(sandbox, event, people, cancellation)
    for invitee in told:
        sandbox.announce("invitee.canceled", event, invitee)
    return cancellation


def cancel_invitee(sandbox: Sandbox, event: StoredScheduledEvent, invitee: StoredInvitee, reason: str | None) -> None:
    """Cancel for one invitee. The meeting is canceled when no invitee is left."""
    cancellation = StoredCancellation(invitee.name, reason, "invitee", sandbox.clock.now())
    _mark_canceled(invitee, cancellation)
    if not event.active_invitees:
        event.cancellation = cancellation
    event.updated_at = cancellation.created_at
    people = [invitee.email, *(host.email for host in _hosts(sandbox, event))]
    _mail_cancellation(sandbox, event, people, cancellation)
    sandbox.announce("invitee.canceled", event, invitee)


def reschedule(sandbox: Sandbox, event: StoredScheduledEvent, invitee: StoredInvitee, start: datetime) -> StoredInvitee:
    """Move an invitee to another slot of the same type: book a new invitee and cancel the old one.

    Raises:
        ApiError: 400 already_filled.
    """
    renewed = book(
        sandbox,
        BookingRequest(
            kind=sandbox.records.event_types[event.event_type],
            start=start,
            email=invitee.email,
            name=invitee.name,
            first_name=invitee.first_name,
            last_name=invitee.last_name,
            timezone=invitee.timezone,
            answers=invitee.answers,
            tracking=invitee.tracking,
            old_invitee=invitee.uri,
        ),
    )
    invitee.rescheduled = True
    invitee.new_invitee = renewed.uri
    cancel_invitee(sandbox, event, invitee, None)
    return renewed


def mark_no_show(sandbox: Sandbox, event: StoredScheduledEvent, invitee: StoredInvitee) -> None:
    """Mark an invitee who missed the meeting. A second mark changes nothing."""
    if invitee.no_show is None:
        now = sandbox.clock.now()
        invitee.no_show, invitee.updated_at = (new_id(), now), now
        sandbox.announce("invitee_no_show.created", event, invitee)


def unmark_no_show(sandbox: Sandbox, event: StoredScheduledEvent, invitee: StoredInvitee) -> None:
    """Take back the mark of an invitee. Without one nothing changes."""
    if invitee.no_show is not None:
        invitee.no_show, invitee.updated_at = None, sandbox.clock.now()
        sandbox.announce("invitee_no_show.deleted", event, invitee)


def _mark_canceled(invitee: StoredInvitee, cancellation: StoredCancellation) -> None:
    invitee.cancellation = cancellation
    invitee.updated_at = cancellation.created_at


def _mail_cancellation(
    sandbox: Sandbox, event: StoredScheduledEvent, people: list[str], cancellation: StoredCancellation
) -> None:
    text = f"{event.name} on {event.times.start:%Y-%m-%d %H:%M} UTC was canceled by {cancellation.canceled_by}."
    sandbox.outbox.send(cancellation.created_at, people, f"Canceled: {event.name}", text, event.uri)
