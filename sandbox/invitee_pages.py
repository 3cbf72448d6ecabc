"""What a person does on Calendly's own pages, as controls: no API call can book by link, cancel as invitee or move.

- `POST /_sandbox/bookings {"booking_url", "start_time", "invitee", ...}` books at a single-use link or at a type's own
  page; the other fields are those of `POST /invitees`.
- `POST /_sandbox/cancellations {"cancel_url", "reason"}` lets an invitee out.
- `POST /_sandbox/reschedulings {"reschedule_url", "start_time"}` moves an invitee to another slot.

Each answers with the invitee, the new one after a move.
"""

from datetime import timedelta

from sandbox.booking import book, cancel_invitee, reschedule
from sandbox.booking_fields import read_booking
from sandbox.errors import CalendlyError, not_found, permission_denied
from sandbox.fields import Fields
from sandbox.records import EventType, Invitee, Records, ScheduledEvent
from sandbox.shapes import Shape, invitee_shape
from sandbox.state import Sandbox

UNUSED_LINK_LIFE = timedelta(days=90)


def book_on_page(sandbox: Sandbox, fields: Fields) -> Shape:
    """Book at a link, which serves one booking and dies after 90 days without one, or at a type's page."""
    address = fields.text("booking_url", required=True)
    link = sandbox.records.links.get(address)
    if link is not None and (link.used or sandbox.clock.now() >= link.created_at + UNUSED_LINK_LIFE):
        raise CalendlyError(410, "Gone", "This single-use link was used, or was never used for 90 days.")
    kind = sandbox.records.event_types[link.event_type] if link is not None else _type_at(sandbox.records, address)
    invitee = book(sandbox, read_booking(fields, kind))
    if link is not None:
        link.used = True
    return {"resource": invitee_shape(invitee)}


def _type_at(records: Records, address: str) -> EventType:
    kind = next((one for one in records.event_types.values() if one.scheduling_url == address), None)
    if kind is None:
        raise not_found()
    return kind


def cancel_on_page(sandbox: Sandbox, fields: Fields) -> Shape:
    """Cancel as the invitee."""
    address = fields.text("cancel_url", required=True)
    reason = fields.text("reason") or None
    fields.check()
    event, invitee = _find(sandbox, address, "cancellations")
    cancel_invitee(sandbox, event, invitee, reason)
    return {"resource": invitee_shape(invitee)}


def reschedule_on_page(sandbox: Sandbox, fields: Fields) -> Shape:
    """Move to another slot as the invitee."""
    address = fields.text("reschedule_url", required=True)
    start = fields.required_time("start_time")
    fields.check()
    event, invitee = _find(sandbox, address, "reschedulings")
    return {"resource": invitee_shape(reschedule(sandbox, event, invitee, start))}


def _find(sandbox: Sandbox, address: str, page: str) -> tuple[ScheduledEvent, Invitee]:
    """Find whom an address belongs to, while there is still something to change."""
    head, _, identifier = address.rpartition("/")
    invitee = sandbox.records.invitee(identifier)
    if invitee is None or not head.endswith(f"/{page}"):
        raise not_found()
    event = sandbox.records.events[invitee.event]
    if invitee.cancellation is not None:
        raise permission_denied("Event is already canceled")
    if event.times.start <= sandbox.clock.now():
        raise permission_denied("Event in the past")
    return event, invitee


PAGE_CONTROLS = {"bookings": book_on_page, "cancellations": cancel_on_page, "reschedulings": reschedule_on_page}
