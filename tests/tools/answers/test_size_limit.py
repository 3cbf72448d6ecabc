"""No answer fills an agent's context, whatever strangers typed; nothing of it is lost, and nothing told twice."""

from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases import each
from tests.tools.answers.test_estimate import EVENT, FOREIGN, SLOTS, TEXT, tokens, written
from tools.answers.estimate import estimate
from tools.answers.size_limit import MOST_TOKENS, fitted
from tools.toolset.lists import Resumption
from tools.toolset.page_tokens import PagePlace

LONG = "Where do we begin? " * 15_000
EMOJI = "👩🏽‍💻🏳️‍🌈" * 5_000
RARE = "\U0001f600\U0001d54f\u0e0d\u0e35\u0e48" * 10_000
AMHARIC = "ሰላም ነው " * 5_000
ODD = "qjzxvwkg" * 5_000

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(0, 10**9)
    | st.sampled_from(["", "Ada", LONG[:50_000], EMOJI[:20_000], ODD]),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=9), inner, max_size=6),
    max_leaves=30,
)


def fit(answer: object, resumption: Resumption | None = None, text_offset: int = 0) -> dict[str, Any]:
    return cast("dict[str, Any]", fitted(answer, written, resumption, text_offset))


def test_what_fits_stays_as_it_is() -> None:
    page = {"collection": [EVENT] * 100, "pagination": {"next_page_token": "x"}}
    assert fit(page) is page
    assert fit(EVENT) is EVENT
    assert fit({"collection": None}) == {"collection": None}


@pytest.mark.parametrize("row", [EVENT, TEXT, SLOTS, FOREIGN], ids=["event", "text", "slots", "foreign"])
def test_a_page_is_cut_where_it_has_to_be_and_goes_on_with_a_token(row: dict[str, Any]) -> None:
    page: dict[str, Any] = {"collection": [row] * 3_000, "pagination": {"next_page_token": "x"}, "timezone": "UTC"}
    slim = fit(page, Resumption(lambda kept: {"pagination": {"count": kept, "next_page_token": f"after {kept}"}}))
    kept = len(slim["collection"])
    assert tokens(written(slim)) <= MOST_TOKENS
    assert kept > 100
    assert slim["pagination"] == {"count": kept, "next_page_token": f"after {kept}"}
    assert slim["left_out"] == {
        "rows": 3_000 - kept,
        "how_to_go_on": "Call again with next_page_token as page_token and all else unchanged.",
    }
    assert slim["timezone"] == "UTC"


def test_a_range_is_to_be_asked_for_in_parts() -> None:
    slim = fit({"collection": [EVENT] * 3_000, "continue_from": "later"})
    assert slim["left_out"]["how_to_go_on"].startswith("Ask again for a shorter range")
    assert "continue_from" not in slim


@pytest.mark.requirement("parameters-text-offset")
@each("text", [LONG, EMOJI, AMHARIC, ODD])
def test_a_long_text_is_read_in_parts_that_make_the_whole(text: str) -> None:
    invitee = {"uri": EVENT["uri"], "name": "Ada", "questions_and_answers": [{"question": "Q", "answer": text}]}
    parts, offset = "", 0
    while len(parts) < len(text):
        slim = fit(invitee, text_offset=offset)
        assert tokens(written(slim)) <= MOST_TOKENS
        (pair,) = slim["questions_and_answers"]
        assert (slim["uri"], slim["name"], pair["question"]) == (EVENT["uri"], "Ada", "Q")
        assert slim["shortened"]["questions_and_answers.0.answer"] == (
            f"characters {offset}-{offset + len(pair['answer'])} of {len(text)}"
        )
        parts += pair["answer"]
        offset += len(pair["answer"])
        goes_on = {"left_out": {"how_to_go_on": f"Call again with text_offset={offset}."}}
        assert slim.items() >= (goes_on if offset < len(text) else {}).items()
        assert ("left_out" in slim) == (offset < len(text))
    assert parts == text
    for beyond in (len(text), len(text) + 1):
        slim = fit(invitee, text_offset=beyond)
        assert slim["questions_and_answers"][0]["answer"] == ""
        assert slim["shortened"] == {
            "questions_and_answers.0.answer": f"characters {len(text)}-{len(text)} of {len(text)}"
        }
        assert "left_out" not in slim


def test_a_long_text_is_shown_as_far_as_there_is_room_also_beside_another() -> None:
    for offset in (0, 24_000):
        slim = fit({"name": RARE[:20_000], "questions_and_answers": [{"answer": RARE}]}, text_offset=offset)
        (pair,) = slim["questions_and_answers"]
        assert MOST_TOKENS // 2 < estimate(written(slim)) <= MOST_TOKENS
        assert slim["left_out"]["how_to_go_on"] == f"Call again with text_offset={offset + len(pair['answer'])}."


def test_one_long_text_in_a_list_takes_no_place_from_the_other_rows() -> None:
    rows: list[Any] = [{"name": f"Guest {number}", "questions_and_answers": [{"answer": "Hi"}]} for number in range(50)]
    rows[7]["questions_and_answers"][0]["answer"] = LONG
    slim = fit({"collection": rows, "pagination": {"count": 50}})
    assert [row["name"] for row in slim["collection"]] == [row["name"] for row in rows]
    assert slim["collection"][7]["questions_and_answers"] == [{"answer": LONG[:1_000]}]
    assert slim["collection"][7]["shortened"] == {"questions_and_answers.0.answer": f"characters 0-1000 of {len(LONG)}"}
    assert "get_event_invitee" in slim["left_out"]["how_to_go_on"]
    assert slim["pagination"] == {"count": 50}


def test_one_meeting_with_very_many_invitees_is_told_with_some_of_them() -> None:
    people = [{"name": f"Guest {number}", "email": f"guest{number}@elsewhere.example"} for number in range(2_000)]
    slim = fit({"collection": [{**EVENT, "invitees": people}, EVENT]})
    assert tokens(written(slim)) <= MOST_TOKENS
    assert slim["collection"][0]["shortened"] == {"invitees": "100 of 2000 items"}
    assert slim["collection"][1] == EVENT
    assert "list_event_invitees" in slim["left_out"]["how_to_go_on"]
    assert "text_offset" not in slim["left_out"]["how_to_go_on"]


def test_the_numbers_beside_a_list_that_was_cut_are_those_of_what_is_shown() -> None:
    people = [{"name": LONG[:200], "questions_and_answers": [{"answer": LONG[:250]}] * 20} for _ in range(10)]
    slim = fit({"collection": [{**EVENT, "invitees": people, "invitees_total": 230, "invitees_shown": 10}]})
    (row,) = slim["collection"]
    assert len(row["invitees"]) == row["invitees_shown"] < 10
    assert row["shortened"]["invitees"] == f"{row['invitees_shown']} of 230 items"


def test_cells_of_a_table_are_shortened_too() -> None:
    slim = fit({"columns": ["name", "answer:1"], "rows": [["Ada", LONG], ["Bea", "Hi"]]})
    assert slim["rows"] == [["Ada", LONG[:1_000]], ["Bea", "Hi"]]
    assert slim["shortened"] == {"rows.0.1": f"characters 0-1000 of {len(LONG)}"}
    assert "add the columns invitee and scheduled_event" in slim["left_out"]["how_to_go_on"]
    named = fit({"columns": ["invitee", "scheduled_event", "answer:1"], "rows": [["i", "e", LONG]]})
    assert "add the columns" not in named["left_out"]["how_to_go_on"]


@settings(max_examples=20, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["collection", "rows", "name", "questions"]), JSON | st.lists(JSON, max_size=40))
)
def test_nothing_at_all_exceeds_the_limit(answer: dict[str, Any]) -> None:
    assert tokens(written(fit(answer))) <= MOST_TOKENS


@given(st.lists(st.integers(0, 100), min_size=1, max_size=9), st.data())
def test_the_place_after_some_rows_is_that_of_the_next_row(lengths: list[int], data: st.DataObject) -> None:
    """Rows are counted over pages, from a place that may be inside a page already."""
    pages: list[tuple[str | None, int]] = [(f"t{number}" if number else None, n) for number, n in enumerate(lengths)]
    rows = [(token, index) for token, length in pages for index in range(length)]
    if len(rows) < 2:
        return
    first = data.draw(st.integers(1, len(rows) - 1))
    place = PagePlace(None, 100).after(first, pages)
    assert (place.token, place.skip) == rows[first]
    again = PagePlace.of(place.page_token(), 20)
    assert again == place
    rest = pages[[token for token, _ in pages].index(place.token) :]
    more = data.draw(st.integers(0, len(rows) - first - 1))
    further = again.after(more, rest)
    assert (further.token, further.skip) == rows[first + more]
