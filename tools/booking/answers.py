"""Answers of a booking: matched to the event type's questions and choices, and sent in Calendly's own words. Pure.

Calendly compares question texts byte for byte and drops or refuses what differs. What the event type
does not say is left to Calendly.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple, TypedDict, cast

from calendly import models
from calendly.models.event_type import CustomQuestion
from calendly.models.invitee import QuestionAndAnswer
from calendly.third_party_text import exactly
from tools.booking.checks import quoted
from tools.matching import folded, the_one
from tools.toolset.errors import ArgumentFault

_ONE_ANSWER: Final = frozenset({"string", "text", "phone_number", "single_select"})
_SELECTS: Final = frozenset({"single_select", "multi_select"})


class AnswerSent(TypedDict):
    """An answer as Calendly takes it. Several choices are lines of one text."""

    question: str
    answer: str
    position: int


class _Given(NamedTuple):
    """An answer of an agent, as the texts that it consists of."""

    question: str
    parts: Sequence[str]
    position: int


def prepared(kind: models.EventType, answers: Sequence[Mapping[str, object]]) -> tuple[list[AnswerSent], list[str]]:
    """Return the answers to send, and a sentence for each that does not fit or is missing.

    Args:
        kind: The event type.
        answers: Objects with question, position, and answer (a text) or choices (a list of texts).
    """
    questions = _questions(kind)
    if questions is None:
        return [_sent(one.question, one.parts, one.position) for one in map(_given, answers)], []
    pairs = [_matched(questions, _given(answer)) for answer in answers]
    sent = [answer for answer, _ in pairs if answer is not None]
    return sent, [*_missing(questions, sent), *(problem for _, problem in pairs if problem)]


class CarriedAnswers(NamedTuple):
    """Which answers of an earlier booking fit an event type as it is now.

    Attributes:
        answers: Those that fit.
        dropped: The questions whose answers do not.
        missing: A sentence for each required question that is left without an answer.
    """

    answers: list[AnswerSent]
    dropped: list[str]
    missing: list[str]


def kept(kind: models.EventType, answers: Sequence[Mapping[str, object]]) -> CarriedAnswers:
    """Return what can be kept of the answers of an earlier booking."""
    questions = _questions(kind)
    if questions is None:
        return CarriedAnswers(prepared(kind, answers)[0], [], [])
    asked = {name: question for name, question in questions.items() if question.get("enabled") is not False}
    pairs = [(answer, *_matched(asked, _given(answer))) for answer in answers]
    fitting = [sent for _, sent, problem in pairs if sent is not None and problem is None]
    dropped = [str(answer["question"]) for answer, _, problem in pairs if problem]
    return CarriedAnswers(fitting, dropped, _missing(asked, fitting))


def answer_faults(told: Iterable[str]) -> list[ArgumentFault]:
    """Return sentences about answers as faults."""
    return [{"parameter": "questions_and_answers", "message": sentence} for sentence in told]


def not_kept(sent: Sequence[AnswerSent], kept: Sequence[QuestionAndAnswer]) -> list[str]:
    """Return what Calendly dropped or changed of the answers that were sent."""
    by_question = {folded(pair.get("question") or ""): folded(pair.get("answer") or "") for pair in kept}
    lost: list[str] = []
    for one in sent:
        question, answer = one["question"], folded(one["answer"])
        there = by_question.get(folded(question))
        if answer and not there:
            lost.append(f"the answer to {quoted(question)}")
        elif answer != (there or ""):
            lost.append(f"the answer to {quoted(question)} as it was given")
    return lost


def _given(answer: Mapping[str, object]) -> _Given:
    text = answer.get("choices") or answer.get("answer") or ""
    parts = list(map(str, cast("list[object]", text))) if isinstance(text, list) else [str(text)]
    position = answer.get("position")
    return _Given(str(answer["question"]), parts, position if isinstance(position, int) else 0)


def _sent(question: str, parts: Iterable[str], position: int) -> AnswerSent:
    return {"question": question, "answer": "\n".join(parts), "position": position}


def _questions(kind: models.EventType) -> Mapping[str, CustomQuestion] | None:
    """Return the questions by their text; None if that does not tell them apart."""
    listed = kind.get("custom_questions")
    questions = {name: question for question in listed or [] if (name := question.get("name"))}
    return None if listed is None or len(questions) != len(listed) else questions


def _matched(questions: Mapping[str, CustomQuestion], given: _Given) -> tuple[AnswerSent | None, str | None]:
    """Return an answer in Calendly's own words, None for an unknown question, and what is wrong with it."""
    name = the_one(given.question, questions)
    if name is None:
        return None, f"{quoted(given.question)} is no question of this event type, {_all_of(questions.values())}."
    parts, problem = _fitting(questions[name], given.parts)
    position = questions[name].get("position")
    sent = _sent(exactly(name), parts, given.position if position is None else position)
    return sent, f"{quoted(name)} {problem}." if problem else None


def _missing(questions: Mapping[str, CustomQuestion], sent: Iterable[AnswerSent]) -> list[str]:
    answered = {one["question"] for one in sent if one["answer"].strip()}
    return [
        f"This required question needs an answer: {_asked(question)}."
        for name, question in questions.items()
        if question.get("required") and question.get("enabled") is not False and exactly(name) not in answered
    ]


def _fitting(question: CustomQuestion, given: Sequence[str]) -> tuple[list[str], str | None]:
    """Return an answer as the question takes it, choices in its own words, and what is wrong with it."""
    choices = question.get("answer_choices") or []
    parts = _several(question, given, choices)
    if len(parts) > 1 and question.get("type") in _ONE_ANSWER:
        return parts, "takes one answer, not several"
    if question.get("type") not in _SELECTS or not choices:
        return parts, None
    found = [(part, the_one(part, choices)) for part in parts if part.strip()]
    taken = [part if choice is None else exactly(choice) for part, choice in found]
    unknown = [part for part, choice in found if choice is None]
    if not unknown or question.get("include_other"):
        return taken, None
    how = ", several as a list" if question.get("type") == "multi_select" else ""
    one = "some" if how else "one"
    return taken, f"takes {one} of its answer choices{how}: {_choices(question)}"


def _several(question: CustomQuestion, given: Sequence[str], choices: Sequence[str]) -> list[str]:
    """Return the single choices: lines of a text are choices too, unless a choice has several lines."""
    if question.get("type") != "multi_select":
        return list(given)
    return [line for part in given for line in ([part] if the_one(part, choices) else part.split("\n"))]


def _all_of(questions: Iterable[CustomQuestion]) -> str:
    asked = [_asked(question) for question in questions if question.get("enabled") is not False]
    return f"which asks: {'; '.join(asked)}" if asked else "which asks nothing"


def _asked(question: CustomQuestion) -> str:
    facts = [f"position {question.get('position')}", question.get("type") or ""]
    facts += [f"choices {_choices(question)}"] if question.get("answer_choices") else []
    facts += ["other answers too"] if question.get("include_other") else []
    facts += ["required"] if question.get("required") else []
    return f"{quoted(question.get('name') or '')} ({', '.join(fact for fact in facts if fact)})"


def _choices(question: CustomQuestion) -> str:
    return ", ".join(quoted(choice) for choice in question.get("answer_choices") or [])
