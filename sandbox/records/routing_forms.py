"""Routing forms, and what people answered in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from sandbox.records.identifiers import StoredResource


@dataclass(frozen=True)
class StoredRoutingFormQuestion:
    """A question of a routing form.

    Attributes:
        answer_choices: Of a select or radios; None for other types.
    """

    id: str
    name: str
    type: Literal["name", "text", "email", "phone", "textarea", "select", "radios"]
    required: bool = True
    answer_choices: tuple[str, ...] | None = None


@dataclass
class StoredRoutingForm(StoredResource):
    """A routing form."""

    collection: ClassVar[str] = "routing_forms"

    organization: str
    name: str
    status: Literal["draft", "published"]
    questions: tuple[StoredRoutingFormQuestion, ...]
    created_at: datetime


@dataclass
class StoredSubmission(StoredResource):
    """What somebody answered in a routing form.

    Attributes:
        form: Id of the form.
        answers: One for each question of the form, None where it was skipped.
        result: Where it led them, as Calendly writes it.
        submitter: URI of the invitee, once they booked.
    """

    collection: ClassVar[str] = "routing_form_submissions"

    form: str
    answers: tuple[str | None, ...]
    result: Mapping[str, object]
    submitter: str | None
    created_at: datetime
