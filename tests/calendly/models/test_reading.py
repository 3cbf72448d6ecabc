"""Any answer of Calendly's is read, and the result fits its shape."""

from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import TypeAdapter
from typing_extensions import get_type_hints, is_typeddict

from calendly import models
from calendly.models import read
from calendly.models.reading import UNRECOGNIZED
from tests.cases import case
from tests.sandbox.api import Json

SHAPES = [shape for name in models.__all__ if is_typeddict(shape := getattr(models, name))]

ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.just("\ud800"),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = some.dictionaries(some.text(max_size=5) | some.sampled_from(["error", UNRECOGNIZED]), ANYTHING, max_size=3)
SCALARS = {str: some.text(), int: some.integers(), float: some.floats() | some.integers(), bool: some.booleans()}


def both(first: Json, second: Json) -> Json:
    return {**first, **second}


@cache
def near(hint: Json) -> some.SearchStrategy[Any]:
    """Values that mostly have a type, and sometimes any other."""
    origin: object = get_origin(hint)
    if origin is Annotated:
        return near(get_args(hint)[0])
    if origin is list:
        return some.lists(near(get_args(hint)[0]), max_size=3) | ANYTHING
    if is_typeddict(hint):
        fields = some.fixed_dictionaries({}, optional={name: near(kind) for name, kind in get_type_hints(hint).items()})
        return some.builds(both, OBJECTS, fields)
    if origin is Union or origin is UnionType:
        return some.one_of(*(near(kind) for kind in get_args(hint)))
    return SCALARS.get(hint, some.none()) | ANYTHING


@cache
def adapter(shape: Json) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


def fits(shape: Json, value: object) -> bool:
    try:
        adapter(shape).validate_python(value, strict=True)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
@settings(max_examples=20)
@given(data=some.data())
def test_any_value_is_read_as_its_shape_and_nothing_is_lost(shape: Json, data: some.DataObject) -> None:
    value = data.draw(near(shape))
    before = repr(value)
    answer = read(shape, value)
    assert fits(shape, answer)
    assert "error" not in answer
    assert repr(value) == before
    if fits(shape, value) and "error" not in value:
        assert answer is value
    else:
        assert set(value) <= {*answer, *(path.partition(".")[0] for path in answer[UNRECOGNIZED])}


@settings(max_examples=20)
@given(value=ANYTHING)
def test_a_value_that_is_no_object_is_kept_aside(value: object) -> None:
    for shape in SHAPES:
        with case(shape):
            answer: Any = read(shape, value)
            assert fits(shape, answer)
            assert fits(dict, value) or repr(answer) == repr({UNRECOGNIZED: {"": value}})


@pytest.mark.requirement("answer-fields-added")
def test_fields_and_values_that_calendly_adds_pass_through() -> None:
    event_type = {"name": "Intro call", "kind": "hologram", "vibe": {"good": True}, "locations": [{"planet": "Mars"}]}
    assert read(models.EventType, event_type) is event_type


def test_a_value_of_an_unexpected_type_leaves_its_place_and_stays_in_the_answer() -> None:
    invitee = {"name": ["Lee"], "payment": {"amount": {"cents": 1}, "currency": "EUR"}, "rescheduled": False}
    assert read(models.Invitee, invitee) == {
        "payment": {"currency": "EUR"},
        "rescheduled": False,
        "unrecognized": {"name": ["Lee"], "payment.amount": {"cents": 1}},
    }


def test_items_after_one_that_is_taken_out_move_up() -> None:
    event_type = {"custom_questions": [1, {"answer_choices": ["a", 2, "b", None]}, 3]}
    assert read(models.EventType, event_type) == {
        "custom_questions": [{"answer_choices": ["a", "b"]}],
        "unrecognized": {
            "custom_questions.0": 1,
            "custom_questions.1.answer_choices.1": 2,
            "custom_questions.1.answer_choices.3": None,
            "custom_questions.2": 3,
        },
    }


def test_a_field_called_error_does_not_look_like_a_failed_call() -> None:
    assert read(models.User, {"name": "Lee", "error": None}) == {"name": "Lee", "unrecognized": {"error": None}}


def test_an_amount_may_be_a_number_or_a_text() -> None:
    for amount in (10, 9.5, "9.50"):
        payment = {"payment": {"amount": amount}}
        assert read(models.Invitee, payment) is payment


def test_ten_thousand_wrong_items_are_read_in_one_go() -> None:
    answer = read(models.EventType, {"duration_options": ["x"] * 10_000})
    assert answer == {"duration_options": [], "unrecognized": {f"duration_options.{n}": "x" for n in range(10_000)}}


def test_deeply_nested_values_are_read() -> None:
    deep: Any = {}
    for _ in range(900):
        deep = {"deeper": deep}
    answer: Any = read(models.User, {"name": 1, "deep": deep})
    assert answer["deep"] is deep
