"""Checks of a booking against its event type: location, questions, answers. Pure.

Calendly refuses most of this too, but its messages name neither the question nor the location. What
the event type does not say, or says in an unknown way, is left to Calendly.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypedDict

from calendly import models
from calendly.models.event_type import CustomQuestion, EventTypeLocation
from calendly.models.location_kinds import KINDS, NAMED_BY_INVITEE, PLACE_NEEDED
from calendly.third_party_text import visible
from tools.toolset.errors import ArgumentFault

_LOCATION: Final = "location"
_ANSWERS: Final = "questions_and_answers"


class Answered(TypedDict):
    """An answer to a question."""

    question: str
    answer: str


def state_faults(kind: models.EventType) -> list[ArgumentFault]:
    """Return why an event type cannot be booked at all, if so."""
    if kind.get("deleted_at"):
        return [_fault("event_type", "This event type is deleted, so nobody can book it.")]
    if kind.get("active") is False:
        return [_fault("event_type", "This event type is switched off (inactive) in Calendly, so nobody can book it.")]
    return []


def hosts_take_turns(kind: models.EventType) -> bool:
    """Return whether Calendly chooses the host and the location of each meeting (round robin)."""
    return kind.get("pooling_type") == "round_robin"


def only_location(kind: models.EventType) -> Mapping[str, str] | None:
    """Return the location of an event type with a single, complete one; else None."""
    places = _places(kind)
    if hosts_take_turns(kind) or len(places) != 1:
        return None
    name, place = places[0].get("kind") or "", places[0].get("location")
    if name in PLACE_NEEDED:
        return {"kind": name, "location": place} if place and name not in NAMED_BY_INVITEE else None
    return {"kind": name} if name in KINDS else None


def location_faults(kind: models.EventType, chosen: Mapping[str, object] | None) -> list[ArgumentFault]:
    """Return what is wrong with a location, or with its absence.

    Args:
        kind: The event type.
        chosen: The location to send.
    """
    places = _places(kind)
    if hosts_take_turns(kind):
        told = "Leave it out: hosts take turns at this event type, so Calendly says where to meet."
        return [_fault(_LOCATION, told)] if chosen else []
    known = [place.get("kind") for place in places]
    if not places or any(name not in KINDS for name in known) or (chosen and chosen.get("kind") in known):
        return []
    problem = "This event type does not offer that one" if chosen else "This event type needs one"
    return [_fault(_LOCATION, f"{problem}. Its locations, by kind: {'; '.join(map(_described, places))}.")]


def answer_faults(kind: models.EventType, answers: Sequence[Answered]) -> list[ArgumentFault]:
    """Return the required questions without an answer, and the answers that do not fit."""
    listed = kind.get("custom_questions")
    questions = {name: question for question in listed or [] if (name := question.get("name"))}
    if listed is None or len(questions) != len(listed):
        return []
    given = {visible(answer["question"]): answer["answer"] for answer in answers}
    unknown = [name for name in given if name not in questions]
    missing = [
        question
        for name, question in questions.items()
        if question.get("required") and question.get("enabled") is not False and not given.get(name, "").strip()
    ]
    told = [f"This required question needs an answer: {_asked(question)}." for question in missing]
    told += [f"{_quoted(name)} is no question of this event type, {_all_of(questions.values())}." for name in unknown]
    told += [
        f"{_quoted(name)} takes one of its answer choices: {_choices(questions[name])}."
        for name, answer in given.items()
        if name in questions and not _fits(questions[name], answer)
    ]
    return [_fault(_ANSWERS, sentence) for sentence in told]


def _places(kind: models.EventType) -> list[EventTypeLocation]:
    return kind.get("locations") or []


def _described(place: EventTypeLocation) -> str:
    name = place.get("kind") or ""
    said = next((text for text in (place.get("location"), place.get("phone_number")) if text), None)
    needed = f"location: {PLACE_NEEDED[name]}" if name in PLACE_NEEDED else "no more"
    return f"{name}{f' ({_quoted(said)})' if said else ''} needs {needed}"


def _fits(question: CustomQuestion, answer: str) -> bool:
    choices = question.get("answer_choices") or []
    is_closed = question.get("type") == "single_select" and not question.get("include_other") and bool(choices)
    return not is_closed or not answer.strip() or visible(answer) in choices


def _all_of(questions: Iterable[CustomQuestion]) -> str:
    asked = [_asked(question) for question in questions if question.get("enabled") is not False]
    return f"which asks: {'; '.join(asked)}" if asked else "which asks nothing"


def _asked(question: CustomQuestion) -> str:
    facts = [f"position {question.get('position')}", question.get("type") or ""]
    facts += [f"choices {_choices(question)}"] if question.get("answer_choices") else []
    facts += ["other answers too"] if question.get("include_other") else []
    facts += ["required"] if question.get("required") else []
    return f"{_quoted(question.get('name') or '')} ({', '.join(fact for fact in facts if fact)})"


def _choices(question: CustomQuestion) -> str:
    return ", ".join(_quoted(choice) for choice in question.get("answer_choices") or [])


def _quoted(text: str) -> str:
    """Quote a text exactly, line breaks included."""
    return json.dumps(text, ensure_ascii=False)


def _fault(parameter: str, message: str) -> ArgumentFault:
    return {"parameter": parameter, "message": message}
