"""JSON with comments, changed in one place and nowhere else."""

import json
from collections.abc import Iterator
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from server.installing import jsonc
from server.installing.jsonc import Json, NotAnObjectError, UnreadableError

PATH: Final = ("servers", "ours")
ENTRY: Final[Json] = {"command": "c", "args": ["--x"]}

LEAVES: SearchStrategy[Json] = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)
VALUES: SearchStrategy[Json] = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=12
)
OTHERS = st.dictionaries(st.text().filter(lambda key: key != "ours"), VALUES, max_size=3)
AROUND = st.dictionaries(st.text().filter(lambda key: key != "servers"), VALUES, max_size=2)


@st.composite
def files(draw: st.DrawFn) -> dict[str, Json]:
    """A file of some client: servers of others, and members before and behind them."""
    return {**draw(AROUND), "servers": {**draw(OTHERS)}, **draw(AROUND)}


INDENTS = st.sampled_from([None, 2, 4, "\t"])


def everybody(path: tuple[str, ...], text: str) -> bool:
    del path, text
    return True


def nobody(path: tuple[str, ...], text: str) -> bool:
    return not everybody(path, text)


@given(file=files(), indent=INDENTS)
def test_whatever_is_in_a_file_is_there_in_the_same_order_afterwards(file: Json, indent: int | str | None) -> None:
    text = json.dumps(file, indent=indent)
    after = jsonc.put(text, PATH, ENTRY)
    assert isinstance(file, dict)
    others = file["servers"]
    assert isinstance(others, dict)
    wanted = {**file, "servers": {**others, "ours": ENTRY}}
    assert json.dumps(json.loads(after)) == json.dumps(wanted)
    assert jsonc.find(after, PATH) == ENTRY
    assert jsonc.put(after, PATH, ENTRY) == after
    assert jsonc.shown(after, everybody) == after


@given(file=files(), indent=INDENTS)
def test_what_was_put_in_and_taken_out_again_leaves_no_trace(file: Json, indent: int | str | None) -> None:
    text = json.dumps(file, indent=indent)
    assert jsonc.remove(jsonc.put(text, PATH, ENTRY), PATH) == text


def strings(value: Json) -> Iterator[str]:
    """Every string that is a value."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


COMMENTED: Final = """\
// My settings
{
  "theme": "dark", // as it should be
  /* the servers:
     one so far */
  "servers": {
    // the other one
    "other": {"command": "x"}, // in use
  },
}
"""


def test_comments_and_trailing_commas_stay() -> None:
    after = jsonc.put(COMMENTED, PATH, ENTRY)
    added = [line for line in after.splitlines() if line not in COMMENTED.splitlines()]
    assert [line for line in after.splitlines() if line not in added] == COMMENTED.splitlines()
    assert added[0] == '    "ours": {'
    assert added[-1] == "    },"
    assert jsonc.remove(after, PATH) == COMMENTED


def test_a_comment_behind_the_last_member_stays_behind_it() -> None:
    text = '{\n  "servers": {\n    "other": {} // in use\n    // no more\n  }\n}\n'
    after = jsonc.put(text, PATH, 1)
    assert after == '{\n  "servers": {\n    "other": {}, // in use\n    // no more\n    "ours": 1\n  }\n}\n'
    assert jsonc.remove(after, PATH) == text


def test_an_entry_that_is_there_is_replaced_where_it_stands() -> None:
    text = '{"servers": {"ours": {"old": true}, "other": 1}}'
    assert jsonc.put(text, PATH, 2) == '{"servers": {"ours": 2, "other": 1}}'
    assert jsonc.remove(text, PATH) == '{"servers": {"other": 1}}'
    assert jsonc.remove('{"servers": {"other": 1, "ours": 2}}', PATH) == '{"servers": {"other": 1}}'
    assert jsonc.remove('{"servers": {"ours": 2}}', PATH) == '{"servers": {}}'


@pytest.mark.parametrize("text", ["{}", '{"servers": {}}', '{"a": {"b": 1}}', COMMENTED])
def test_what_is_not_there_is_not_found_and_not_removed(text: str) -> None:
    assert jsonc.find(text, PATH) is None
    assert jsonc.remove(text, PATH) == text


@pytest.mark.parametrize("text", ["", "\n", "{}", "{}\n", "{ }"])
def test_an_empty_file_gets_everything_that_is_missing(text: str) -> None:
    after = jsonc.put(text, PATH, ENTRY)
    assert json.loads(after) == {"servers": {"ours": ENTRY}}
    assert jsonc.read(text) == {}


def test_tabs_and_line_ends_are_those_of_the_file() -> None:
    after = jsonc.put('{\r\n\t"servers": {\r\n\t\t"other": 1\r\n\t}\r\n}\r\n', PATH, {"a": 1})
    assert after == ('{\r\n\t"servers": {\r\n\t\t"other": 1,\r\n\t\t"ours": {\r\n\t\t\t"a": 1\r\n\t\t}\r\n\t}\r\n}\r\n')


def test_of_two_members_with_one_name_the_last_one_counts_and_both_go() -> None:
    text = '{"servers": {"ours": 1, "other": 0, "ours": 2}}'
    assert jsonc.find(text, PATH) == 2
    assert jsonc.find(jsonc.put(text, PATH, 3), PATH) == 3
    assert jsonc.find(jsonc.remove(text, PATH), ("servers",)) == {"other": 0}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("nonsense", 1),
        ('{"a": 1} x', 1),
        ('{"a": }', 1),
        ('{"a": 1,,}', 1),
        ('{\n"a" 1}', 2),
        ('{\n"a": 1\n"b": 2}', 3),
        ("{a: 1}", 1),
        ('{"a": NaN}', 1),
        ('{"a": [1 2]}', 1),
        ('{"a": "b', 1),
        ("[" * 5000, 1),
        ('{"a": 1', 1),
        ("{/* no end", 1),
    ],
)
def test_what_is_no_json_is_said_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UnreadableError, match=f"line {line} is no JSON"):
        jsonc.put(text, PATH, ENTRY)


@pytest.mark.parametrize(
    ("text", "named"),
    [("[]", "it is no JSON object"), ('{"servers": []}', '"servers" is no object'), ("1", "no JSON object")],
)
def test_what_should_be_an_object_and_is_none_is_named(text: str, named: str) -> None:
    with pytest.raises(NotAnObjectError, match=named):
        jsonc.put(text, PATH, ENTRY)


@given(file=files(), indent=INDENTS)
def test_nobody_sees_a_string_that_is_not_meant_for_them(file: Json, indent: int | str | None) -> None:
    assert set(strings(json.loads(jsonc.shown(json.dumps(file, indent=indent), nobody)))) <= {"…"}


def test_comments_are_hidden_as_well() -> None:
    assert jsonc.shown('{ // "token": "abc"\n/* abc */ "a": 1 }', nobody) == '{ // …\n/* … */ "a": 1 }'
