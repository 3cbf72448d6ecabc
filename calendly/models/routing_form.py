"""Routing forms, and what people answered in them."""

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.invitee import Tracking
from calendly.models.personal import PERSONAL, Personal

_WITH_ANSWERS: Final = Personal(unless=("type", frozenset({"event_type", "custom_message"})))
"""Personal where it is an address, whose parameters may repeat what somebody answered."""


class RoutingFormQuestion(TypedDict, total=False):
    """A question of a routing form."""

    uuid: str | None
    name: str | None
    type: Annotated[str | None, Field(description="name, text, email, phone, textarea, select or radios")]
    required: bool | None
    answer_choices: Annotated[list[str] | None, Field(description="of select and radios")]


class RoutingForm(TypedDict, total=False):
    """A routing form."""

    uri: str | None
    organization: str | None
    name: str | None
    status: Annotated[str | None, Field(description="draft or published")]
    questions: Annotated[list[RoutingFormQuestion] | None, Field(description="in order, without deleted ones")]
    created_at: str | None
    updated_at: str | None


class SubmittedAnswer(TypedDict, total=False):
    """What somebody answered to a question of a routing form."""

    question_uuid: str | None
    question: str | None
    answer: str | None


class RoutingMessage(TypedDict, total=False):
    """A message that a routing form ends with."""

    headline: str | None
    body: str | None


class RoutingResult(TypedDict, total=False):
    """Where a routing form led somebody."""

    type: Annotated[str | None, Field(description="event_type, external_url or custom_message")]
    value: Annotated[str | RoutingMessage | None, _WITH_ANSWERS, Field(description="event type URI, URL, or message")]


class RoutingFormSubmission(TypedDict, total=False):
    """What somebody answered in a routing form, and where it led them."""

    uri: str | None
    routing_form: str | None
    questions_and_answers: Annotated[list[SubmittedAnswer] | None, PERSONAL]
    tracking: Annotated[Tracking | None, PERSONAL]
    result: RoutingResult | None
    submitter: Annotated[str | None, Field(description="invitee URI, once they booked")]
    submitter_type: Annotated[str | None, Field(description="Invitee")]
    created_at: str | None
    updated_at: str | None
