"""The routing forms of the seeded account, and what people answered in them."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sandbox.records.identifiers import fixed_id, uri
from sandbox.records.records import Records
from sandbox.records.routing_forms import StoredRoutingForm, StoredRoutingFormQuestion, StoredSubmission
from sandbox.seed.events import INSTRUCTING_ANSWER, seeded_person

SUBMISSIONS: Final = 24
SIZES: Final = ("1-10", "11-50", "51+")

_TOO_SMALL: Final[Mapping[str, object]] = {
    "type": "custom_message",
    "value": {"headline": "Thank you", "body": "Our help pages answer most questions of small teams."},
}
_PARTNERS: Final[Mapping[str, object]] = {"type": "external_url", "value": "https://northlight.example/partners"}


def add_routing_forms(records: Records, now: datetime) -> None:
    """Add a published form with its submissions, and a draft without any."""
    organization = fixed_id("organization northlight")
    made = now - timedelta(days=200)
    questions = (
        StoredRoutingFormQuestion(fixed_id("question name"), "Name", "name"),
        StoredRoutingFormQuestion(fixed_id("question email"), "E-mail", "email"),
        StoredRoutingFormQuestion(fixed_id("question size"), "Company size", "radios", answer_choices=SIZES),
        StoredRoutingFormQuestion(fixed_id("question help"), "How can we help?", "textarea", required=False),
    )
    for form in (
        StoredRoutingForm(
            fixed_id("routing form sales"), organization, "Contact sales", "published", questions, created_at=made
        ),
        StoredRoutingForm(
            fixed_id("routing form partners"),
            organization,
            "Partner programme",
            "draft",
            questions[:2],
            created_at=made + timedelta(days=90),
        ),
    ):
        records.routing_forms[form.id] = form
    for number in range(SUBMISSIONS):
        _add_submission(records, number)


def _add_submission(records: Records, number: int) -> None:
    """Add a submission, the latest first. Whoever is large enough was led to an event type; the latest booked it."""
    person, size = seeded_person(number), SIZES[number % len(SIZES)]
    event = records.events[fixed_id("event intro 0")]
    leads_on: Mapping[str, object] = {"type": "event_type", "value": uri("event_types", event.event_type)}
    submission = StoredSubmission(
        id=fixed_id(f"submission {number}"),
        form=fixed_id("routing form sales"),
        answers=(person.name, person.email, size, INSTRUCTING_ANSWER if number == 1 else None),
        result=(leads_on, _PARTNERS, _TOO_SMALL)[number % len(SIZES)],
        submitter=event.invitees[0].uri if number == 0 else None,
        created_at=event.created_at - timedelta(days=3 * number, minutes=4),
    )
    records.submissions[submission.id] = submission
    if number == 0:
        event.invitees[0].routing_form_submission = submission.uri
