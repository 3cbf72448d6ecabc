"""TOML edited as text: only the lines of one table change, and every other line and comment of the file stays.

What was edited is parsed again. Where it says anything else than what was wanted, because the file writes its
tables in a way that is not followed here, the edit is refused.
"""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from server.installing.jsonc import Json, NotAnObjectError, UnreadableError

_TOKEN: Final = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL)
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_LEADING: Final = re.compile(r"\s*(#.*)?")
_HIDDEN: Final = '"…"'


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it stands in the text.

    Attributes:
        path: Its name, part by part; empty for what precedes the first header.
        start: The line of its header.
        end: The line after its last.
    """

    path: tuple[str, ...]
    start: int
    end: int


def find(text: str, path: Sequence[str]) -> Json:
    """Return the value at a path of tables, None if there is none. Raises UnreadableError."""
    node: Json = _parsed(text)
    for key in path:
        node = node.get(key) if isinstance(node, dict) else None
    return node


def put(text: str, path: Sequence[str], value: Json) -> str:
    """Return the text with a table at a path. Lines of it that say what is wanted stay.

    Raises:
        UnreadableError: The text cannot be parsed, or its tables are written in a way that is not followed here.
        NotAnObjectError: A value on the path is not a table.
    """
    wanted = _parsed(text)
    above = wanted
    for key in path[:-1]:
        inner = above.setdefault(key, {})
        if not isinstance(inner, dict):
            raise NotAnObjectError(f'"{key}" is no table')
        above = inner
    above[path[-1]] = value
    for edited in (_updated, _replaced):
        after = _edited(text, partial(edited, path=path, value=cast("dict[str, Json]", value)))
        if _says(after, wanted):
            return after
    raise UnreadableError("its tables are written in a way that is not edited here")


def remove(text: str, path: Sequence[str]) -> str:
    """Return the text without the table at a path; unchanged if there is none. Raises UnreadableError."""
    wanted = _parsed(text)
    above: Json = wanted
    for key in path[:-1]:
        above = above.get(key) if isinstance(above, dict) else None
    if not isinstance(above, dict) or path[-1] not in above:
        return text
    del above[path[-1]]
    after = _edited(text, partial(_without, path=path))
    # Tables that hold nothing else are gone with it, as they were before it came.
    if _says(after, wanted) or _says(after, {name: one for name, one in wanted.items() if name != path[0] or one}):
        return after
    raise UnreadableError("its tables are written in a way that is not edited here")


def shown(text: str, visible: Callable[[tuple[str, ...], str], bool]) -> str:
    """Return the text with its comments and strings hidden, since any of them may hold another program's secret.

    Args:
        text: The text.
        visible: Says whether a string may be shown, given the path to it and its value.
    """
    paths = [table.path for table in _tables(text) for _ in range(table.start, table.end)]

    def replaced(found: re.Match[str]) -> str:
        if found[0].startswith("#"):
            return "# …"
        key, equals, _ = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].partition("=")
        place = (*paths[text.count("\n", 0, found.start())], key.strip().strip("\"'"))
        return found[0] if not equals or visible(place, found[0][1:-1]) else _HIDDEN

    return _TOKEN.sub(replaced, text)


def _edited(text: str, edit: Callable[[str], Sequence[str]]) -> str:
    """Edit a text with line feeds for its line ends, whatever they are."""
    newline = "\r\n" if "\r\n" in text else "\n"
    return newline.join(edit(text.replace("\r\n", "\n")))


def _parsed(text: str) -> dict[str, Json]:
    try:
        return cast("dict[str, Json]", tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise UnreadableError(f"it is no TOML: {fault}") from None


def _says(text: str, wanted: Mapping[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        return False


def _tables(text: str) -> Iterator[_Table]:
    """List the tables in their order. A comment right above a header belongs to that header's table."""
    lines = text.split("\n")
    blank = _TOKEN.sub(lambda found: re.sub(r"[^\n]", "x", found[0]), text).split("\n")
    heads = [(at, path) for at, line in enumerate(blank) if (path := _header(line, lines[at])) is not None]
    starts = [_above(blank, at) for at, _ in heads]
    yield _Table((), 0, starts[0] if starts else len(lines))
    for place, (_, path) in enumerate(heads):
        yield _Table(path, starts[place], starts[place + 1] if place + 1 < len(starts) else len(lines))


def _header(blank: str, line: str) -> tuple[str, ...] | None:
    if not blank.lstrip().startswith("["):
        return None
    try:
        node: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    path: list[str] = []
    while isinstance(node, dict) and node:
        [(key, node)] = cast("dict[str, Any]", node).items()
        path.append(key)
    return tuple(path)


def _above(blank: Sequence[str], at: int) -> int:
    """Return the first line of the comment that ends right above a line."""
    while at and blank[at - 1].strip() and not blank[at - 1].strip().strip("x"):
        at -= 1
    return at


def _without(text: str, path: Sequence[str]) -> list[str]:
    """Return the lines without a table and those below it."""
    lines, kept = text.split("\n"), list[str]()
    for table in _tables(text):
        if table.path[: len(path)] != tuple(path):
            kept += lines[table.start : table.end]
    while len(kept) > 1 and not kept[-1].strip() and not kept[-2].strip():
        kept.pop()
    return kept


def _replaced(text: str, path: Sequence[str], value: Mapping[str, Json]) -> list[str]:
    kept = _without(text, path)
    while kept and not kept[-1].strip():
        kept.pop()
    return [*kept, *([""] if kept else []), *_rendered(path, {**value}), ""]


def _updated(text: str, path: Sequence[str], value: Mapping[str, Json]) -> list[str]:
    """Return the lines with only those of the table changed that say something else."""
    lines, after, met = text.split("\n"), list[str](), set[str]()
    for table in _tables(text):
        own, inside = lines[table.start : table.end], table.path[len(path) :]
        if table.path[: len(path)] != tuple(path):
            after += own
        elif not inside:
            after += _lines_of(own, {key: one for key, one in value.items() if not isinstance(one, dict)})
            met.add("")
        elif isinstance(inner := value.get(inside[0]), dict) and len(inside) == 1:
            after += _lines_of(own, inner)
            met.add(inside[0])
    tables = {key: one for key, one in value.items() if isinstance(one, dict) and key not in met}
    if "" not in met:
        return []
    for key, inner in tables.items():
        while after and not after[-1].strip():
            after.pop()
        after += ["", *_rendered([*path, key], inner), ""]
    return after


def _lines_of(lines: Sequence[str], wanted: Mapping[str, Json]) -> list[str]:
    """Return the lines of a table with other values; new ones follow the last."""
    left, after = dict(wanted), list[str]()
    for line in lines:
        key = _key(line)
        if key is None:
            after.append(line)
        elif key in left:
            value = left.pop(key)
            after.append(line if _says(line, {key: value}) else f"{_name(key)} = {_value(value)}")
    end = next((at for at in range(len(after), 0, -1) if not _LEADING.fullmatch(after[at - 1])), len(after))
    return [*after[:end], *(f"{_name(key)} = {_value(value)}" for key, value in left.items()), *after[end:]]


def _key(line: str) -> str | None:
    """Return the key of a line that has a whole key and value; None for a header, a comment or anything else."""
    try:
        parsed = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    return next(iter(parsed)) if parsed and not line.lstrip().startswith("[") else None


def _rendered(path: Sequence[str], value: Json) -> list[str]:
    members = cast("dict[str, Json]", value)
    lines = [f"[{'.'.join(map(_name, path))}]"]
    lines += [f"{_name(key)} = {_value(one)}" for key, one in members.items() if not isinstance(one, dict)]
    for key, inner in members.items():
        if isinstance(inner, dict) and inner:
            lines += ["", *_rendered([*path, key], inner)]
    return lines


def _name(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Json) -> str:
    """Write a value. Strings of JSON are basic strings of TOML, but for U+007F."""
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_name(key)} = {_value(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
