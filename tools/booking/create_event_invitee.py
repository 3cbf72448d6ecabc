"""The tool that books a meeting, exactly once, even when the connection fails."""

from datetime import datetime
from typing import Annotated, Any, Final, NotRequired

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    with_config,
)
from typing_extensions import TypedDict

from calendly.models.location_kinds import PLACE_NEEDED, LocationKind, written_kind
from tools.answers.local_times import told
from tools.bodies import CLOSED, Variants, given
from tools.booking.booked import Booked
from tools.booking.lookup import BookingSought
from tools.booking.once import Order, book, book_under
from tools.fields import Email, EventTypeRef, Line, Opaque, Text, Time, TimeZone, at_most
from tools.times import instant, wire, zone_for
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Body, Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.zones import zone_of

booking = Toolset()


def _audited(call: AuditedArguments) -> str:
    invitee: dict[str, Any] = call.values.get("invitee") or {}
    attendee = f" with {call.names.name(invitee['email'])}" if invitee.get("email") else ""
    guests = len(call.values.get("event_guests") or ())
    more = f" and {guests} guest{'s' if guests > 1 else ''}" if guests else ""
    return f"a meeting{call.given('event_type', ' of the event type {}')}{attendee}{more}{call.moment('start_time')}"


@with_config(CLOSED)
class InviteeFields(TypedDict):
    """Who the meeting is with."""

    email: Email
    timezone: TimeZone
    name: NotRequired[Line | None]
    first_name: NotRequired[Line | None]
    last_name: NotRequired[Line | None]
    text_reminder_number: NotRequired[Annotated[Line, Field(description="such as +14155551234")] | None]


def _as_written(kind: object) -> object:
    """Take the name that a scheduled event gives a kind, too."""
    return written_kind(kind) or kind if isinstance(kind, str) else kind


@with_config(CLOSED)
class BookingLocationFields(TypedDict):
    """Where: one of the event type's locations. Omit for round robin."""

    kind: Annotated[LocationKind, BeforeValidator(_as_written)]
    location: NotRequired[Annotated[Text, Field(description="for the first four kinds")] | None]


_Texts: Final = TypeAdapter(list[Text])


def _text_or_list(value: object, as_text: ValidatorFunctionWrapHandler) -> object:
    """Take the choices in place of the answer, too."""
    return _Texts.validate_python(value, strict=True) if isinstance(value, list) else as_text(value)


@with_config(CLOSED)
class AnswerGiven(TypedDict):
    """An answer to one of the event type's questions."""

    question: Annotated[Text, Field(description="its text")]
    answer: NotRequired[Annotated[Text, WrapValidator(_text_or_list)] | None]
    choices: NotRequired[Annotated[list[Text], Field(description="several choices")] | None]
    position: Annotated[int, Field(ge=0)]


@with_config(CLOSED)
class TrackingFields(TypedDict):
    """Where the booking comes from."""

    utm_campaign: NotRequired[Line | None]
    utm_source: NotRequired[Line | None]
    utm_medium: NotRequired[Line | None]
    utm_content: NotRequired[Line | None]
    utm_term: NotRequired[Line | None]
    salesforce_uuid: NotRequired[Line | None]


def _answered(answer: AnswerGiven) -> AnswerGiven:
    if (answer.get("answer") is None) == (answer.get("choices") is None):
        raise ValueError("Needs either answer or choices.")
    return answer


def _named(invitee: InviteeFields) -> InviteeFields:
    if not (invitee.get("name") or invitee.get("first_name")):
        raise ValueError("Needs name or first_name.")
    return invitee


async def booking_start(call: Call, start_time: datetime, timezone: str | None, theirs: str | None) -> datetime:
    """Return the instant of a start: by its offset, else in `timezone`, else in the caller's zone.

    Args:
        call: The call that books.
        start_time: As the agent wrote it.
        timezone: The zone that it may have named.
        theirs: The invitee's zone, None if it is not known.

    Raises:
        ArgumentError: The start has neither, and means another instant in the invitee's zone; or as `instant`.
    """
    start = await instant(call.caller, "start_time", start_time, timezone=timezone)
    zone = zone_of(theirs)
    if start_time.tzinfo is not None or timezone is not None or zone is None:
        return start
    other = start_time.replace(tzinfo=zone)
    if other == start:
        return start
    own = await zone_for(call.caller)
    raise ArgumentError.of(
        "start_time",
        f"This time has no offset, and the invitee's zone is not yours. In yours ({own}) it is {wire(start)}, "
        f"{told(start.astimezone(zone))} for the invitee; in the invitee's ({zone}) it is {wire(other)}, "
        f"{told(other.astimezone(own))} for you. Ask which is meant, then add the offset or pass timezone.",
    )


AnswerToSend = Annotated[AnswerGiven, AfterValidator(_answered)]
InviteeToBook = Annotated[InviteeFields, AfterValidator(_named)]
BookingLocation = Annotated[
    BookingLocationFields,
    AfterValidator(Variants("kind", dict.fromkeys(PLACE_NEEDED, ({"location"}, ())))),
]


@booking.tool(
    "POST",
    "/invitees",
    title="Book a meeting",
    scope="scheduled_events:write",
    capability="booking",
    audit=Sentence("book", _audited),
    webhook_event="invitee.created",
    since="2025-10-16",
    presets=("scheduling",),
    is_booking=True,
)
async def create_event_invitee(
    call: Call,
    event_type: EventTypeRef,
    start_time: Annotated[Time, Field(description="ISO 8601 with offset, or as of timezone")],
    invitee: InviteeToBook,
    location: BookingLocation | None = None,
    questions_and_answers: Annotated[list[AnswerToSend], at_most(100)] | None = None,
    tracking: TrackingFields | None = None,
    event_guests: Annotated[list[Email], Field(max_length=10)] | None = None,
    timezone: TimeZone | None = None,
    idempotency_key: Annotated[Opaque, Field(description="same key, same booking, for 24 hours")] | None = None,
) -> Booked:
    """Book a meeting for an invitee at an open time.

    Take start_time from list_event_type_available_times, locations and questions from get_event_type. Calendly
    e-mails invitee and guests. After outcome_unknown repeat only with the same idempotency_key.
    """
    start = await booking_start(call, start_time, timezone, invitee["timezone"])
    body: Body = given(
        {
            "event_type": event_type.uri,
            "start_time": wire(start),
            "invitee": given(invitee),
            "location": given(location) if location else None,
            "questions_and_answers": questions_and_answers,
            "tracking": {name: tracking.get(name) for name in TrackingFields.__annotations__} if tracking else None,
            "event_guests": event_guests,
        }
    )
    order = Order(body=body, wanted=BookingSought(event_type, start, invitee["email"]), timezone=timezone)
    return await (book(call, order) if idempotency_key is None else book_under(idempotency_key, call, order))
