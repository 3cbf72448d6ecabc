"""What models write is taken as it is meant, over every parameter of every tool."""

import json
from copy import deepcopy
from typing import Any, cast

import pytest

from tests.cases import each
from tests.sandbox.api import Json
from tests.tools.facts import required_arguments
from tests.tools.test_hostile_arguments import WHOLE
from tools import ALL, Tool
from tools.toolset.errors import ArgumentError

EACH = each("tool", ALL)
EMPTY: dict[str, object] = {"object": {}, "array": []}
VALID = {**WHOLE, "questions_and_answers": [{"question": "Q", "answer": "A", "position": 0}]}


def properties(tool: Tool) -> dict[str, Any]:
    return {**cast("dict[str, Any]", tool.input_schema["properties"])}


def parsed(tool: Tool, **arguments: object) -> Json:
    return dict(tool.parse({**required_arguments(tool), **arguments}, ()))


def faults(tool: Tool, **arguments: object) -> dict[str, str]:
    with pytest.raises(ArgumentError) as refused:
        parsed(tool, **arguments)
    return {fault.get("parameter", ""): fault["message"] for fault in refused.value.faults}


@pytest.mark.requirement("empty-is-absence", "null-is-absence")
@EACH
def test_null_and_empty_text_stand_for_an_optional_parameter_that_is_left_out(tool: Tool) -> None:
    required: Any = tool.input_schema.get("required", ())
    for nothing in (None, ""):
        given = dict.fromkeys(set(properties(tool)) - set(required) - set(required_arguments(tool)), nothing)
        assert parsed(tool, **given) == parsed(tool)
        empty = {name: EMPTY.get(properties(tool)[name]["type"], "") for name in given}
        assert parsed(tool, **empty) == parsed(tool)
        for name in required:
            assert name in faults(tool, **{name: nothing})


@pytest.mark.requirement("empty-is-absence")
def test_so_they_do_inside_an_object() -> None:
    (book,) = (tool for tool in ALL if tool.name == "create_event_invitee")
    person = {"email": "lee@acme.example", "timezone": "Europe/Berlin", "name": "Lee"}
    whole = parsed(book, invitee=person)
    for nothing in (None, ""):
        assert parsed(book, invitee={**person, "first_name": nothing, "text_reminder_number": nothing}) == whole
    assert "invitee.email" in faults(book, invitee={**person, "email": ""})


def test_words_with_commas_are_a_list_where_only_certain_words_can_stand() -> None:
    (count,) = (tool for tool in ALL if tool.name == "summarize_bookings")
    for text in ("host", '["host"]'):
        assert parsed(count, group_by=text) == parsed(count, group_by=["host"])
    assert parsed(count, group_by="host, month") == parsed(count, group_by=["host", "month"])
    assert "Must be one of" in faults(count, group_by="host,planet")["group_by.1"]
    assert parsed(count, group_by="Host, MONTH ", status=" Active") == parsed(
        count, group_by=["host", "month"], status="active"
    )


def test_the_only_text_of_a_list_may_stand_by_itself_and_addresses_with_commas() -> None:
    (log,) = (tool for tool in ALL if tool.name == "list_activity_log_entries")
    for text in ("User", '["User"]'):
        assert parsed(log, namespace=text)["namespace"] == ["User"]
    assert parsed(log, actor="me") == parsed(log, actor=["me"])
    assert faults(log, namespace='["User", "Group"]')
    (mark, book) = (tool for name in ("mark_no_shows", "create_event_invitee") for tool in ALL if tool.name == name)
    assert parsed(mark, invitees="everyone")["invitees"] == ["everyone"]
    assert parsed(mark, invitees="Lee, Dr. Ann")["invitees"] == ["Lee, Dr. Ann"]
    (bookings,) = (tool for tool in ALL if tool.name == "find_bookings")
    assert parsed(bookings, columns="name, answer:1")["columns"] == ["name", "answer:1"]
    guests = ["a@b.example", "c@d.example"]
    assert parsed(book, event_guests=", ".join(guests))["event_guests"] == guests


@pytest.mark.requirement("valid-is-valid")
@EACH
def test_a_number_a_yes_or_no_and_a_choice_are_that_however_they_are_written(tool: Tool) -> None:
    for name, inner in properties(tool).items():
        if inner["type"] in {"integer", "number"}:
            number = inner.get("minimum", 30)  # which is among the few that a buffer may have
            assert parsed(tool, **{name: float(number)}) == parsed(tool, **{name: number})
            assert isinstance(parsed(tool, **{name: float(number)})[name], int)
            assert parsed(tool, **{name: f" {number} "}) == parsed(tool, **{name: number})
            for text in ("many", "1e9", "0x10", "\u0663"):
                assert name in faults(tool, **{name: text})
        if inner["type"] == "boolean":
            assert parsed(tool, **{name: "True"}) == parsed(tool, **{name: True})
            assert parsed(tool, **{name: "false"}) == parsed(tool, **{name: False})
            assert name in faults(tool, **{name: "perhaps"})
        if "enum" in inner:
            (choice, *_) = inner["enum"]
            assert parsed(tool, **{name: [choice]}) == parsed(tool, **{name: choice})
            if name == "status":
                assert parsed(tool, **{name: "All"}) == parsed(tool)
            assert name in faults(tool, **{name: [choice, choice]})
        if inner["type"] == "integer":
            assert name in faults(tool, **{name: 1.5})
            assert name in faults(tool, **{name: float("nan")})


def test_a_choice_is_read_in_another_spelling_and_a_text_as_the_only_one_of_a_list() -> None:
    search, find = (next(tool for tool in ALL if tool.name == name) for name in ("find_bookings", "find_meeting_times"))
    assert parsed(search, status="Cancelled") == parsed(search, status="canceled")
    assert parsed(search, invitee_email=["Lee <lee@x.example>"]) == parsed(search, invitee_email="lee@x.example")
    assert parsed(search, user=["Diego Salas"]) == parsed(search, user="Diego Salas")
    assert parsed(find, weekdays=["Sat", "tues"]) == parsed(find, weekdays=["saturday", "tuesday"])
    assert "weekdays.0" in faults(find, weekdays=["S"])


@pytest.mark.requirement("json-text-read")
@EACH
def test_json_text_is_read_where_an_object_or_a_list_is_meant(tool: Tool) -> None:
    for name, inner in properties(tool).items():
        if inner["type"] not in {"object", "array"} or name not in VALID:
            continue
        whole: Any = inner.get("items", {}).get("enum") or deepcopy(VALID[name])
        for surplus in set(whole) - set(inner["properties"]) if "properties" in inner else ():
            del whole[surplus]
        assert parsed(tool, **{name: json.dumps(whole)}) == parsed(tool, **{name: whole})
        what = {"object": "an object", "array": "a list"}[inner["type"]]
        plain = ("Lee", '"Lee"', "7") if inner.get("items", {}).get("type") != "string" else ()  # that is its only item
        for text in (*plain, "{", "[" * 100_000):
            assert faults(tool, **{name: text}) == {name: f"Should be {what}, not text."}
        assert faults(tool, **{name: 7}) == {name: f"Should be {what}."}


@pytest.mark.requirement("json-text-read")
def test_so_it_is_inside_a_list_and_text_stays_text() -> None:
    (book,) = (tool for tool in ALL if tool.name == "create_event_invitee")
    pairs = [{"question": "Data?", "answer": '{"a": 1}', "position": 0.0}]
    read = parsed(book, questions_and_answers=[json.dumps(pair) for pair in pairs])
    assert read == parsed(book, questions_and_answers=pairs)
    assert read["questions_and_answers"] == [{"question": "Data?", "answer": '{"a": 1}', "position": 0}]


@pytest.mark.requirement("underscore-names")
@EACH
def test_names_that_begin_with_an_underscore_are_dropped(tool: Tool) -> None:
    assert parsed(tool, _meta={"a": 1}, _call_id="7", __=None) == parsed(tool)
