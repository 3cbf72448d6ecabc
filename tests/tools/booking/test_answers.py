"""Answers to an event type's questions: understood however they are written, and sent as Calendly compares them."""

import json
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly import models
from calendly.reading import parse
from tests.sandbox.api import Json
from tools.booking.answers import not_kept, prepared

COLORS = {
    "name": "Colour?",
    "type": "single_select",
    "position": 1,
    "enabled": True,
    "required": False,
    "answer_choices": ["red", "blue"],
    "include_other": False,
}


def kind(**fields: object) -> Json:
    """An event type with these fields."""
    return {"uri": "E", "active": True, **fields}


def asking(**changes: object) -> Json:
    """An event type with one question."""
    return kind(custom_questions=[{**COLORS, **changes}])


def answering(answer: str | list[str], question: str = "Colour?") -> Json:
    return [{"question": question, "answer": answer, "position": 1}]


def told_of(event_type: Json, answers: Json) -> str:
    """What is said of answers."""
    return " ".join(prepared(event_type, answers)[1])


@pytest.mark.parametrize(
    ("question", "answers", "is_missing"),
    [
        ({"required": True}, [], True),
        ({"required": True}, answering("  "), True),
        ({"required": True}, answering("red"), False),
        ({"required": True, "enabled": False}, [], False),
        ({"required": True, "enabled": None}, [], True),
        ({"required": None}, [], False),
    ],
)
def test_a_required_question_wants_an_answer(question: dict[str, object], answers: Json, *, is_missing: bool) -> None:
    told = told_of(asking(**question), answers)
    assert (told != "") == is_missing
    if is_missing:
        assert '"Colour?" (position 1, single_select, choices "red", "blue", required)' in told


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ({}, "red", True),
        ({}, "green", False),
        ({}, "Red\u00a0", True),
        ({}, "", True),
        ({"include_other": True}, "green", True),
        ({}, ["red"], True),
        ({"type": "multi_select"}, "red\nblue", True),
        ({"type": "multi_select"}, ["blue", "red"], True),
        ({"type": "multi_select", "include_other": True}, ["blue", "green"], True),
        ({"type": "string"}, "green", True),
        ({"answer_choices": []}, "green", True),
        ({"answer_choices": None}, "green", True),
    ],
)
def test_an_answer_to_a_closed_choice_is_one_of_the_choices(
    question: dict[str, object], answer: str | list[str], *, fits: bool
) -> None:
    told = told_of(asking(**question), answering(answer))
    assert told == ("" if fits else '"Colour?" takes one of its answer choices: "red", "blue".')


@pytest.mark.parametrize(
    ("question", "answer", "said"),
    [
        ({"type": "multi_select"}, "red\ngreen", "takes some of its answer choices, several as a list: "),
        ({"type": "multi_select"}, ["green"], "takes some of its answer choices, several as a list: "),
        ({}, ["red", "blue"], "takes one answer, not several"),
        ({"type": "text", "answer_choices": None}, ["a", "b"], "takes one answer, not several"),
    ],
)
def test_each_of_several_choices_is_checked(question: dict[str, object], answer: str | list[str], said: str) -> None:
    assert said in told_of(asking(**question), answering(answer))


def test_several_choices_are_sent_as_calendly_stores_them_a_line_each() -> None:
    (one,), told = prepared(asking(type="multi_select"), answering(["BLUE", " red"]))
    assert (one, told) == ({"question": "Colour?", "answer": "blue\nred", "position": 1}, [])


def test_a_question_that_there_is_not_is_quoted_with_those_there_are() -> None:
    odd = asking(name='Why "here"?\nSay more. ', type="text", answer_choices=[], required=True)
    told = told_of(odd, answering("x", "Why now?"))
    quoted = '"Why \\"here\\"?\\nSay more. "'
    assert f"This required question needs an answer: {quoted} (position 1, text, required)." in told
    assert f'"Why now?" is no question of this event type, which asks: {quoted}' in told


WAYS: list[Callable[[str], str]] = [
    str.casefold,
    lambda text: text.replace(" ", "\u00a0"),
    lambda text: text.replace(" ", "  \u2009"),
    lambda text: text.replace("'", "\u2019").replace('"', "\u201c"),
    lambda text: text.replace("-", "\u2011"),
    lambda text: text.replace("?", " ?"),
    lambda text: unicodedata.normalize("NFD", text),
    lambda text: unicodedata.normalize("NFC", text),
    "\u200b".join,
    lambda text: f" {text}\ufeff\n",
]
"""How else a person or a model writes the same words."""

TEXTS = st.text(st.sampled_from("aZé\u00df\u0130ﬁ \u00a0'\u2019\"\u201d-\u2013?\u200b\u00ad\u2060\n🙂"), min_size=3)


@given(TEXTS.filter(lambda text: any(map(str.isalpha, text))), TEXTS, st.sampled_from(WAYS))
def test_question_and_choice_are_sent_byte_for_byte_however_they_are_written(
    name: str, choice: str, way: Callable[[str], str]
) -> None:
    said = {**COLORS, "name": f"{name}?", "answer_choices": [f"a{choice}", "other"]}
    read = parse(json.dumps({"custom_questions": [said]}).encode())
    (one,), told = prepared(models.read(models.EventType, read), answering(way(f"a{choice}"), way(f"{name}?")))
    assert told == []
    assert (one["question"], one["answer"]) == (f"{name}?", f"a{choice}")


def test_of_questions_that_are_written_alike_the_very_same_is_meant() -> None:
    both = kind(custom_questions=[{**COLORS, "name": "Size?"}, {**COLORS, "name": "SIZE?", "position": 2}])
    assert prepared(both, answering("red", "SIZE?")) == ([{"question": "SIZE?", "answer": "red", "position": 2}], [])
    assert "is no question" in told_of(both, answering("red", "size?"))


@pytest.mark.parametrize(
    ("kept", "lost"),
    [
        ([{"question": "Colour?", "answer": "blue\nred"}], []),
        ([{"question": "COLOUR?", "answer": "Blue red "}], []),
        ([], ['the answer to "Colour?"']),
        ([{"question": "Colour?", "answer": None}], ['the answer to "Colour?"']),
        ([{"question": "Colour?", "answer": "blue"}], ['the answer to "Colour?" as it was given']),
    ],
)
def test_an_answer_that_calendly_drops_or_changes_is_named(kept: Json, lost: list[str]) -> None:
    assert not_kept(answering("blue\nred"), kept) == lost


def test_an_event_type_without_questions_says_so() -> None:
    told = told_of(kind(custom_questions=[]), answering("red"))
    assert told == '"Colour?" is no question of this event type, which asks nothing.'


def test_an_answer_to_a_question_that_is_switched_off_is_left_to_calendly() -> None:
    assert told_of(asking(enabled=False), answering("red")) == ""


@pytest.mark.parametrize(
    "questions", [None, [{**COLORS, "name": None}], [COLORS, COLORS], [{}]], ids=["none", "nameless", "twice", "empty"]
)
def test_questions_that_cannot_be_told_apart_are_calendlys_business(questions: Json) -> None:
    assert prepared(kind(custom_questions=questions), answering("green", "Other?")) == (
        answering("green", "Other?"),
        [],
    )
