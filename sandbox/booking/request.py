"""Reads a booking request from the body of the API or of a page."""

import re
from collections.abc import Mapping
from typing import Final, Literal

from sandbox.booking.bookings import BookingRequest
from sandbox.records.as_json import TRACKING_KEYS
from sandbox.records.event_types import StoredEventType
from sandbox.records.scheduled_events import StoredAnswer
from sandbox.requests.fields import MUST_BE_FILLED, InputFields, is_email, objects_in, texts_in

MOST_GUESTS: Final = 10
# Kinds for which the invitee says where.
_NEED_PLACE: Final = frozenset({"physical", "outbound_call", "ask_invitee", "custom"})
_PHONE: Final = r"\+[1-9][0-9]{6,14}"


def read_booking(
    fields: InputFields,
    kind: StoredEventType | None,
    *,
    method: Literal["api"] | None = None,
    booked_by: str | None = None,
) -> BookingRequest:
    """Read a booking.

    Args:
        fields: The body.
        kind: The event type; None where its parameter is already noted as bad.
        method: See `BookingRequest`.
        booked_by: See `BookingRequest`.

    Raises:
        ApiError: 400 with every bad parameter.
    """
    start = fields.required_time("start_time")
    invitee = fields.within("invitee", required=True) or InputFields({}, "invitee.", [])
    name, first_name, last_name = (invitee.text(part) for part in ("name", "first_name", "last_name"))
    if not name and not first_name:
        invitee.refuse("name", MUST_BE_FILLED)
    email = invitee.email("email", required=True)
    timezone = invitee.timezone("timezone", required=True)
    phone = invitee.text("text_reminder_number")
    if phone and not re.fullmatch(_PHONE, phone):
        invitee.refuse("text_reminder_number", "must be a phone number such as +14155551234")
    location = _read_location(fields, kind)
    answers = _read_answers(fields, kind)
    tracking = _read_tracking(fields)
    guests = _read_guests(fields)
    if kind is None or not fields.good:
        raise fields.refusal()
    return BookingRequest(
        kind=kind,
        start=start,
        email=email,
        name=name or f"{first_name} {last_name}".strip(),
        first_name=first_name or None,
        last_name=last_name or None,
        timezone=timezone,
        text_reminder_number=phone or None,
        location=location,
        answers=answers,
        tracking=tracking,
        guests=guests,
        method=method,
        booked_by=booked_by,
    )


def _read_location(fields: InputFields, kind: StoredEventType | None) -> Mapping[str, str] | None:
    """Read the location: one of the type's kinds, with the place where the kind needs one.

    A round robin takes no location. Every other type with locations needs one.
    """
    configured = [] if kind is None else [place["kind"] for place in kind.locations]
    round_robin = kind is not None and kind.pooling_type == "round_robin"
    place = fields.within("location", required=bool(configured) and not round_robin)
    if place is None:
        return None
    if round_robin:
        fields.refuse("location", "must be omitted for round robin event types")
    chosen = place.text("kind", required=True)
    if chosen and chosen not in configured:
        place.refuse("kind", "is not configured on the event type")
    where = place.text("location", required=chosen in _NEED_PLACE)
    return {"kind": chosen, **({"location": where} if where else {})}


def _read_answers(fields: InputFields, kind: StoredEventType | None) -> tuple[StoredAnswer, ...]:
    """Read the answers.

    Each names a question of the type in its exact words; required ones must be there.
    """
    questions = [] if kind is None else [question for question in kind.questions if question.enabled]
    rows = objects_in(fields.raw("questions_and_answers")) if fields.has("questions_and_answers") else []
    if rows is None:
        fields.refuse("questions_and_answers", "must be a list of question, answer and position")
        rows = []
    answers = [answer for row in rows if (answer := _read_answer(fields, row)) is not None]
    names = {question.name for question in questions}
    for answer in answers:
        if kind is not None and answer.question not in names:
            fields.refuse("questions_and_answers", f"{answer.question!r} is not a question of the event type")
    answered = {answer.question for answer in answers if answer.answer.strip()}
    for question in questions:
        if question.required and question.name not in answered:
            fields.refuse("questions_and_answers", f"{question.name!r} {MUST_BE_FILLED}")
    return tuple(answers)


def _read_answer(fields: InputFields, row: Mapping[str, object]) -> StoredAnswer | None:
    question, answer, position = (row.get(key) for key in ("question", "answer", "position"))
    if not isinstance(question, str) or not isinstance(answer, str) or not isinstance(position, int):
        fields.refuse("questions_and_answers", "each needs a question, an answer and a position")
        return None
    return StoredAnswer(question, answer, position)


def _read_tracking(fields: InputFields) -> Mapping[str, str | None] | None:
    """Read the tracking parameters: all six keys or none, each a text or null."""
    tracking = fields.within("tracking")
    if tracking is None:
        return None
    return {key: tracking.nullable_text(key) for key in TRACKING_KEYS}


def _read_guests(fields: InputFields) -> tuple[str, ...]:
    guests = texts_in(fields.raw("event_guests")) if fields.has("event_guests") else []
    if guests is None or len(guests) > MOST_GUESTS:
        fields.refuse("event_guests", f"must be at most {MOST_GUESTS} e-mail addresses")
    for guest in guests or []:
        if not is_email(guest):
            fields.refuse("event_guests", f"{guest} is an invalid email format")
    return tuple(guests or [])
