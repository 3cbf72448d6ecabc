"""The size limit of answers: a page that would fill an agent's context is cut and says how to read on. Pure."""

import re
from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final, cast

MOST_TOKENS: Final = 20_000
"""Most tokens of one answer (o200k), by an estimate that errs on the high side."""

_RUN: Final = re.compile(r"([A-Za-z]+)|([0-9]+)|([^\x00-\x7f])|[^\s]")
_LETTERS, _DIGITS = 4.5, 3
_FOREIGN, _MARK = 1.2, 0.55
_FOR_THE_REST: Final = 400
"""Tokens reserved for what surrounds the rows: pagination, zone, how to read on."""


def estimate(text: str) -> int:
    """Estimate the tokens of a JSON text: three digits, 4.5 letters or about two punctuation marks each."""
    total = 0.0
    for letters, digits, foreign in _RUN.findall(text):
        if letters:
            total += ceil(len(letters) / _LETTERS)
        elif digits:
            total += ceil(len(digits) / _DIGITS)
        else:
            total += _FOREIGN if foreign else _MARK
    return ceil(total)


def cut(answer: object, written: Callable[[object], str], most: int = MOST_TOKENS) -> object:
    """Return a list with as many rows as fit, any other answer unchanged.

    Args:
        answer: What is to be answered.
        written: Writes it as the agent reads it.
        most: Tokens.
    """
    if not isinstance(answer, dict):
        return answer
    fields = cast("Mapping[str, Any]", answer)
    rows = cast("list[object] | None", fields.get("collection"))
    if rows is None or estimate(written(fields)) <= most:
        return fields
    kept = _first(rows, written, most - _FOR_THE_REST)
    return {**_without_way_on(fields), "collection": kept, "left_out": _way_on(fields, len(kept), len(rows))}


def _first(rows: list[object], written: Callable[[object], str], most: int) -> list[object]:
    """Return the rows that fit, at least the first."""
    total = 0
    for index, row in enumerate(rows):
        total += estimate(written(row)) + 1
        if total > most and index:
            return rows[:index]
    return rows


def _without_way_on(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Drop the tokens that lead to the next page: they would skip the rows that were cut."""
    return {name: value for name, value in fields.items() if name not in {"pagination", "continue_from"}}


def _way_on(fields: Mapping[str, Any], kept: int, there: int) -> dict[str, Any]:
    if "pagination" in fields:
        how = f"Ask again from the same page_token with count={kept} and max_pages=1, then follow next_page_token."
    else:
        how = "Ask again for a shorter range, or for one that begins after the last row."
    return {"rows": there - kept, "how_to_go_on": how}
