import json
from typing import Any

import pytest
import toktok  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # the wheel has no types

from tools.answers.page_limit import MOST_TOKENS, cut, estimate

EVENT = {
    "uri": "https://api.calendly.com/scheduled_events/51b24bd1-7444-416a-8732-3d28b4a0ca39",
    "name": "Intro call",
    "start_time": "2026-06-01T08:00:00.000000Z",
    "local_start": "Mon 2026-06-01 10:00",
}
TEXT = {"answer": "I would like to talk about the new release, and whether it fits our plans for the summer."}
SLOTS = {"date": "2026-12-01", "timezone": "Europe/Berlin", "times": ["09:00", "09:30", "10:00", "10:30"]}
FOREIGN = {"answer": "新しいリリースについて話したいです。", "name": "Jürgen Müßig", "note": "Привет, как дела?"}


def written(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tokens(value: object) -> int:
    return sum(toktok.batch_count([written(value)], "o200k_base"))


@pytest.mark.parametrize("row", [EVENT, TEXT, SLOTS, FOREIGN], ids=["event", "text", "slots", "foreign"])
def test_the_estimate_is_rather_too_high_than_too_low(row: dict[str, Any]) -> None:
    rows = [row] * 50
    assert tokens(rows) <= estimate(written(rows)) <= 2.5 * tokens(rows)


def test_a_list_that_fits_and_what_is_no_list_stay_as_they_are() -> None:
    page = {"collection": [EVENT] * 20, "pagination": {"next_page_token": "x"}}
    assert cut(page, written) is page
    assert cut(EVENT, written) is EVENT
    assert cut({"collection": None}, written) == {"collection": None}


@pytest.mark.parametrize("row", [EVENT, TEXT, SLOTS, FOREIGN], ids=["event", "text", "slots", "foreign"])
def test_a_page_never_exceeds_the_limit_and_says_how_to_go_on(row: dict[str, Any]) -> None:
    page: dict[str, Any] = {"collection": [row] * 3_000, "pagination": {"next_page_token": "x"}, "timezone": "UTC"}
    slim: Any = cut(page, written)
    kept = len(slim["collection"])
    assert tokens(slim) <= MOST_TOKENS
    assert kept > 100
    assert slim["left_out"] == {
        "rows": 3_000 - kept,
        "how_to_go_on": f"Ask again from the same page_token with count={kept} and max_pages=1, then follow "
        "next_page_token.",
    }
    assert "pagination" not in slim
    assert slim["timezone"] == "UTC"


def test_a_range_is_to_be_asked_for_in_parts() -> None:
    slim: Any = cut({"collection": [EVENT] * 3_000}, written)
    assert slim["left_out"]["how_to_go_on"].startswith("Ask again for a shorter range")


def test_one_row_is_answered_however_large_it_is() -> None:
    slim: Any = cut({"collection": [{"text": "word " * 50_000}] * 2}, written)
    assert len(slim["collection"]) == 1
