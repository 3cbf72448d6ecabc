"""Controls for what people do on Calendly's own pages: invitees, hosts, and visitors of routing forms.

- `POST /_sandbox/bookings {"booking_url", "start_time", "invitee", ...}` books at a single-use link
  or on the page of an event type. The other fields are those of `POST /invitees`.
- `POST /_sandbox/cancellations {"cancel_url", "reason"}` cancels as the invitee.
- `POST /_sandbox/reschedulings {"reschedule_url", "start_time"}` moves the invitee to another slot.
- `POST /_sandbox/no_shows {"invitee", "marked"}` marks an invitee as a no-show as the host, or with
  `"marked": false` takes the mark back.
- `POST /_sandbox/submissions {"routing_form", "answers", "submitter", "result"}` answers a routing form,
  by default the first that is published. `answers` is an object by the names of the questions.

Each answers the invitee or the submission; a rescheduling answers the new invitee.
"""

from datetime import timedelta
from typing import Final

from sandbox.booking.bookings import book, cancel_invitee, mark_no_show, reschedule, unmark_no_show
from sandbox.booking.request import read_booking
from sandbox.errors import ApiError, not_found, permission_denied
from sandbox.records.as_json import JsonObject, invitee_json
from sandbox.records.event_types import StoredEventType
from sandbox.records.identifiers import new_id
from sandbox.records.records import Records
from sandbox.records.routing_forms import StoredRoutingForm, StoredSubmission
from sandbox.records.routing_forms_as_json import submission_json
from sandbox.records.scheduled_events import StoredInvitee, StoredScheduledEvent
from sandbox.requests.fields import InputFields
from sandbox.state.sandbox import Sandbox

UNUSED_LINK_LIFE: Final = timedelta(days=90)
THANKS: Final = {"type": "custom_message", "value": {"headline": "Thank you", "body": "We will write to you."}}


def book_on_page(sandbox: Sandbox, fields: InputFields) -> JsonObject:
    """Book at a link, which expires after one booking or after 90 days, or on the page of an event type."""
    address = fields.text("booking_url", required=True)
    link = sandbox.records.links.get(address)
    if link is not None and (link.used or sandbox.clock.now() >= link.created_at + UNUSED_LINK_LIFE):
        raise ApiError(410, "Gone", "This single-use link was used, or was never used for 90 days.")
    kind = sandbox.records.event_types[link.event_type] if link is not None else _type_at(sandbox.records, address)
    invitee = book(sandbox, read_booking(fields, kind))
    if link is not None:
        link.used = True
    return {"resource": invitee_json(invitee)}


def _type_at(records: Records, address: str) -> StoredEventType:
    kind = next((one for one in records.event_types.values() if one.scheduling_url == address), None)
    if kind is None:
        raise not_found()
    return kind


def cancel_on_page(sandbox: Sandbox, fields: InputFields) -> JsonObject:
    """Cancel as the invitee."""
    address = fields.text("cancel_url", required=True)
    reason = fields.text("reason") or None
    fields.check()
    event, invitee = _find(sandbox, address, "cancellations")
    cancel_invitee(sandbox, event, invitee, reason)
    return {"resource": invitee_json(invitee)}


def reschedule_on_page(sandbox: Sandbox, fields: InputFields) -> JsonObject:
    """Reschedule as the invitee."""
    address = fields.text("reschedule_url", required=True)
    start = fields.required_time("start_time")
    fields.check()
    event, invitee = _find(sandbox, address, "reschedulings")
    return {"resource": invitee_json(reschedule(sandbox, event, invitee, start))}


def mark_on_page(sandbox: Sandbox, fields: InputFields) -> JsonObject:
    """Mark an invitee as a no-show, or take the mark back."""
    address = fields.text("invitee", required=True)
    marked = fields.boolean("marked") if fields.has("marked") else True
    fields.check()
    invitee = sandbox.records.invitee(address.rpartition("/")[2])
    if invitee is None or invitee.uri != address:
        raise not_found()
    change = mark_no_show if marked else unmark_no_show
    change(sandbox, sandbox.records.events[invitee.event], invitee)
    return {"resource": invitee_json(invitee)}


def submit_on_page(sandbox: Sandbox, fields: InputFields) -> JsonObject:
    """Answer a routing form."""
    form = _routing_form(sandbox.records, fields.reference("routing_form", "routing_forms"))
    answers = fields.within("answers") or InputFields({})
    texts = {name: answers.text(name) for name in answers.names()}
    for name in texts.keys() - {question.name for question in form.questions}:
        answers.refuse(name, "is not a question of this form")
    result = fields.within("result")
    submitter = fields.text("submitter") or None
    fields.check()
    submission = StoredSubmission(
        id=new_id(),
        form=form.id,
        answers=tuple(texts.get(question.name) for question in form.questions),
        result=THANKS if result is None else {name: result.raw(name) for name in result.names()},
        submitter=submitter,
        created_at=sandbox.clock.now(),
    )
    sandbox.records.submissions[submission.id] = submission
    sandbox.announce_submission(submission)
    return {"resource": submission_json(sandbox.records, submission)}


def _routing_form(records: Records, identifier: str) -> StoredRoutingForm:
    """Return a form by its id, without one the first that is published. Raises ApiError, 404."""
    forms = (one for one in records.routing_forms.values() if identifier in {"", one.id})
    found = next((one for one in forms if identifier or one.status == "published"), None)
    if found is None:
        raise not_found()
    return found


def _find(sandbox: Sandbox, address: str, page: str) -> tuple[StoredScheduledEvent, StoredInvitee]:
    """Return the event and the invitee of a link.

    Raises:
        ApiError: 404, or 403 for an event that is canceled or past.
    """
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


PAGE_CONTROLS: Final = {
    "bookings": book_on_page,
    "cancellations": cancel_on_page,
    "reschedulings": reschedule_on_page,
    "no_shows": mark_on_page,
    "submissions": submit_on_page,
}
