"""Routing forms and their submissions as Calendly's JSON."""

from sandbox.records.as_json import TRACKING_KEYS, JsonObject, stamp
from sandbox.records.identifiers import uri
from sandbox.records.records import Records
from sandbox.records.routing_forms import StoredRoutingForm, StoredSubmission


def routing_form_json(form: StoredRoutingForm) -> JsonObject:
    """Return a routing form."""
    return {
        "uri": form.uri,
        "organization": uri("organizations", form.organization),
        "name": form.name,
        "status": form.status,
        "questions": [
            {
                "uuid": question.id,
                "name": question.name,
                "type": question.type,
                "required": question.required,
                "answer_choices": None if question.answer_choices is None else list(question.answer_choices),
            }
            for question in form.questions
        ],
        "created_at": stamp(form.created_at),
        "updated_at": stamp(form.created_at),
    }


def submission_json(records: Records, one: StoredSubmission) -> JsonObject:
    """Return a submission."""
    form = records.routing_forms[one.form]
    return {
        "uri": one.uri,
        "routing_form": form.uri,
        "questions_and_answers": [
            {"question_uuid": question.id, "question": question.name, "answer": answer}
            for question, answer in zip(form.questions, one.answers, strict=True)
        ],
        "tracking": dict.fromkeys(TRACKING_KEYS),
        "result": dict(one.result),
        "submitter": one.submitter,
        "submitter_type": "Invitee" if one.submitter else None,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.created_at),
    }
