"""The size limit of answers: what would fill an agent's context is cut and says how to read on. Pure.

A list ends with the last row that fits, and goes on from there by a token. Of long texts a part is
shown, and `shortened` says how much there is, by dotted path: see `tools.answers.shortening`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

from tools.answers.estimate import estimate
from tools.answers.shortening import OF_OBJECT, OF_ROW, Extent, Shortened, shortened
from tools.toolset.lists import Resumption

MOST_TOKENS: Final = 20_000
"""Most tokens of one answer (o200k), by an estimate that is never too low."""

SHORTENED: Final = "shortened"
"""The field that names what is shortened."""

LEFT_OUT: Final = "left_out"

_FOR_NOTES: Final = 1_500
"""Tokens reserved for what is added to a cut answer: what is shortened, and how to read on."""

_MOST_OF_ROW: Final = MOST_TOKENS // 4
_MOST_NOTES: Final = 20
_LONGEST_PART: Final = 24_000
_FINENESS: Final = 8
_LONGEST_PATH: Final = 80

_NEXT_PAGE: Final = "Call again with next_page_token as page_token and all else unchanged."
_CONTINUE: Final = "Call again with continue_from and all else unchanged."
_SHORTER_RANGE: Final = "Ask again for a shorter range, or for one that begins after the last row."
_READ_ON: Final = {
    "characters": "What looks up one of them, such as get_event_invitee, reads shortened texts on, with text_offset.",
    "items": "What lists the parts of one of them, such as list_event_invitees, has all items of a shortened list.",
}
"""How to read what was shortened, by the word that is in each note of it."""

_IDENTIFYING: Final = frozenset({"invitee", "scheduled_event"})
_ADD_COLUMNS: Final = "For the identifiers that it takes, add the columns invitee and scheduled_event."

Written = Callable[[object], str]


def fitted(answer: object, written: Written, resumption: Resumption | None = None, text_offset: int = 0) -> object:
    """Return as much of an answer as fits.

    Args:
        answer: What is to be answered.
        written: Writes it as the agent reads it.
        resumption: How its list goes on where it is cut.
        text_offset: Where the parts of long texts begin.
    """
    if not isinstance(answer, dict):
        return answer
    fields = cast("dict[str, Any]", answer)
    if text_offset == 0 and _fits(written(fields), MOST_TOKENS):
        return fields
    name = next((name for name in ("collection", "rows") if isinstance(fields.get(name), list)), None)
    if name is None:
        part = _part(fields, written, MOST_TOKENS - _FOR_NOTES, OF_OBJECT, text_offset)
        how = f"Call again with text_offset={text_offset + part.extent.characters}." if part.goes_on else None
        return {**_with_notes(part), **({LEFT_OUT: {"how_to_go_on": how}} if how else {})}
    return _list(fields, name, written, resumption or Resumption())


def row_cost(text: str) -> int:
    """Return how many tokens a row takes in an answer, roughly, given as JSON."""
    return min(estimate(text), _MOST_OF_ROW)


def _fits(text: str, most: int) -> bool:
    """Return whether a text has at most so many tokens; a token is at least a byte."""
    return len(text.encode(errors="surrogatepass")) <= most or estimate(text) <= most


def _part(
    value: dict[str, Any], written: Written, most: int, steps: Sequence[Extent], offset: int = 0
) -> Shortened[dict[str, Any]]:
    """Return as much of an object as fits, without its last fields where nothing else helps."""
    part, larger = shortened(value, steps[0], offset), steps[0]
    for extent in steps:
        part = shortened(value, extent, offset)
        if _fits(written(part.value), most):
            fits = _longest(extent, larger, lambda more: _fits(written(shortened(value, more, offset).value), most))
            return shortened(value, fits, offset)
        larger = extent
    kept: dict[str, Any] = {}
    for name, item in part.value.items():
        if _fits(written({**kept, name: item}), most):
            kept[name] = item
    return Shortened(kept, {**part.told, "": f"{len(kept)} of {len(value)} fields"}, part.extent, part.goes_on)


def _longest(fitting: Extent, too_large: Extent, fits: Callable[[Extent], bool]) -> Extent:
    """Return nearly the longest texts that fit, between those of two steps that differ in nothing else."""
    best, most = fitting.characters, too_large.characters
    if too_large.items != fitting.items or most > _LONGEST_PART:
        return fitting
    while most - best > best // _FINENESS:
        middle = (best + most) // 2
        best, most = (middle, most) if fits(Extent(middle, fitting.items)) else (best, middle)
    return Extent(best, fitting.items)


def _list(fields: dict[str, Any], name: str, written: Written, resumption: Resumption) -> dict[str, Any]:
    """Return a list with the rows that fit."""
    rows: list[object] = fields[name]
    around = _with_notes(_part({**fields, name: []}, written, _MOST_OF_ROW, OF_OBJECT))
    room = MOST_TOKENS - _FOR_NOTES - estimate(written(around))
    kept: list[object] = []
    told: dict[str, str] = {}
    for number, row in enumerate(rows):
        short, notes = _row(row, number, written)
        room -= estimate(written(short)) + 1
        if room < 0:
            break
        kept.append(short)
        told |= {f"{name}.{path}": note for path, note in notes.items()}
    leads_on: Mapping[str, object] = {}
    if len(kept) < len(rows):
        fitting, leads_on = resumption.cut(len(kept))
        kept = kept[:fitting]
    answer = {**around, name: kept, **({SHORTENED: _few(told)} if told else {})}
    hows = _read_on({**told, **_notes_of(kept)})
    if told and not set(fields.get("columns", _IDENTIFYING)) >= _IDENTIFYING:
        hows.append(_ADD_COLUMNS)
    if len(kept) == len(rows):
        return {**answer, **({LEFT_OUT: {"how_to_go_on": " ".join(hows)}} if hows else {})}
    how = _NEXT_PAGE if "pagination" in leads_on else _CONTINUE if leads_on else _SHORTER_RANGE
    left_out = {"rows": len(rows) - len(kept), "how_to_go_on": " ".join([how, *hows])}
    # The tokens of the answer as it was would skip the rows that are left out.
    without = {field: value for field, value in answer.items() if field not in {"pagination", "continue_from"}}
    return {**without, **leads_on, LEFT_OUT: left_out}


def _row(row: object, number: int, written: Written) -> tuple[object, dict[str, str]]:
    """Return as much of a row as it may have, and what was shortened in it where the row has no place for that."""
    if isinstance(row, dict):
        return _with_notes(_part(cast("dict[str, Any]", row), written, _MOST_OF_ROW, OF_ROW)), {}
    part = _part({str(number): row}, written, _MOST_OF_ROW, OF_ROW)
    return part.value.get(str(number)), part.told


def _notes_of(rows: Sequence[object]) -> dict[str, str]:
    """Return what is told to be shortened in each row, by the number of the row and the path."""
    fields = [(number, cast("dict[str, Any]", row)) for number, row in enumerate(rows) if isinstance(row, dict)]
    return {f"{number}.{path}": note for number, row in fields for path, note in row.get(SHORTENED, {}).items()}


def _read_on(notes: Mapping[str, str]) -> list[str]:
    """Return how to read what was shortened, by what the notes of it tell."""
    hows = [how for what, how in _READ_ON.items() if any(what in note.split() for note in notes.values())]
    return hows or ([_READ_ON["characters"]] if notes else [])


def _with_notes(part: Shortened[dict[str, Any]]) -> dict[str, Any]:
    return {**part.value, SHORTENED: _few(part.told)} if part.told else part.value


def _few(notes: Mapping[str, str]) -> dict[str, str]:
    return {path[:_LONGEST_PATH]: note for path, note in list(notes.items())[:_MOST_NOTES]}
