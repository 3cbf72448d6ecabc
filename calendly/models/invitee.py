"""Invitees."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.personal import PERSONAL
from calendly.models.scheduled_event import Cancellation


class InviteeNoShow(TypedDict, total=False):
    """A no-show mark, as it is made and read by itself."""

    uri: str | None
    invitee: str | None
    created_at: str | None


class QuestionAndAnswer(TypedDict, total=False):
    """What the invitee answered to a question of the event type."""

    question: str | None
    answer: str | None
    position: int | None


class Tracking(TypedDict, total=False):
    """Where the booking came from."""

    utm_campaign: str | None
    utm_source: str | None
    utm_medium: str | None
    utm_content: str | None
    utm_term: str | None
    salesforce_uuid: str | None


class Payment(TypedDict, total=False):
    """What was paid for the meeting."""

    external_id: str | None
    provider: Annotated[str | None, Field(description="stripe or paypal")]
    amount: float | str | None  # Calendly's own descriptions differ
    currency: Annotated[str | None, Field(description="AUD, CAD, EUR, GBP or USD")]
    terms: str | None
    successful: bool | None


class NoShow(TypedDict, total=False):
    """The mark that the invitee did not come."""

    uri: str | None
    created_at: str | None


class Reconfirmation(TypedDict, total=False):
    """Whether the invitee was asked to confirm, and did."""

    created_at: str | None
    confirmed_at: str | None


class Invitee(TypedDict, total=False):
    """An invitee."""

    uri: str | None
    email: Annotated[str | None, PERSONAL]
    first_name: Annotated[str | None, PERSONAL]
    last_name: Annotated[str | None, PERSONAL]
    name: Annotated[str | None, PERSONAL]
    status: Annotated[str | None, Field(description="active or canceled")]
    questions_and_answers: Annotated[list[QuestionAndAnswer] | None, PERSONAL]
    timezone: Annotated[str | None, PERSONAL]  # about where they live
    event: Annotated[str | None, Field(description="scheduled event URI")]
    created_at: str | None
    updated_at: str | None
    tracking: Annotated[Tracking | None, PERSONAL]  # free text of the link they came by, such as their id elsewhere
    text_reminder_number: Annotated[str | None, PERSONAL]
    rescheduled: Annotated[bool | None, Field(description="true on the old invitee after a reschedule")]
    old_invitee: str | None
    new_invitee: str | None
    # Both open a page about the invitee for whoever has the link.
    cancel_url: Annotated[str | None, PERSONAL, Field(description="for a person to cancel at")]
    reschedule_url: Annotated[str | None, PERSONAL, Field(description="for a person to reschedule at")]
    routing_form_submission: Annotated[str | None, PERSONAL]
    cancellation: Cancellation | None
    payment: Annotated[Payment | None, PERSONAL]
    no_show: NoShow | None
    reconfirmation: Reconfirmation | None
    scheduling_method: Annotated[str | None, Field(description="instant_book or api")]
    invitee_scheduled_by: Annotated[str | None, Field(description="user who booked for the invitee")]
