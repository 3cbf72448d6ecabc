"""JSON with comments and trailing commas, edited as text.

Only the characters of one member change: every other space and comment of the file stays.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias, cast

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_COMMENT: Final = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_INDENT: Final = re.compile(r'^([ \t]+)"', re.MULTILINE)
_DEEPEST: Final = 100
_HIDDEN: Final = '"…"'


class UnreadableError(Exception):
    """The text cannot be parsed. The message says where or why."""


class NotAnObjectError(Exception):
    """A value that has to be an object is not one. The message says which."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its place in the text.

    Attributes:
        start: The index of its first character.
        end: The index after its last character.
        value: The value.
        members: The members of an object, in their order.
        items: The items of an array.
    """

    start: int
    end: int
    value: Json
    members: "tuple[Member, ...]" = ()
    items: "tuple[Node, ...]" = ()

    def member(self, key: str) -> "Member | None":
        """Find a member of an object; the last one of several with the same name."""
        return next((member for member in reversed(self.members) if member.key == key), None)


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an object.

    Attributes:
        key: Its name.
        start: The index where the name begins.
        node: The value.
        comma: The index of the comma after it, None if there is none.
    """

    key: str
    start: int
    node: Node
    comma: int | None


def read(text: str) -> Json:
    """Parse a text; an empty one is an empty object. Raises UnreadableError."""
    return _Reader(_document(text)).document().value


def find(text: str, path: Sequence[str]) -> Json:
    """Return the value at a path of object members, None if there is none. Raises UnreadableError."""
    node: Node | None = _Reader(_document(text)).document()
    for key in path:
        member = node.member(key) if node else None
        node = member.node if member else None
    return node.value if node else None


def put(text: str, path: Sequence[str], value: Json) -> str:
    """Return the text with a value at a path of object members. Missing members are added.

    Raises:
        UnreadableError: The text cannot be parsed.
        NotAnObjectError: A value on the path is not an object.
    """
    text = _document(text)
    node = _Reader(text).document()
    *above, last = path
    for depth, key in enumerate(above):
        member = _object(node, path[:depth]).member(key)
        if member is None:
            for inner in reversed(path[depth + 1 :]):
                value = {inner: value}
            return _insert(text, node, key, value)
        node = member.node
    member = _object(node, above).member(last)
    if member is None:
        return _insert(text, node, last, value)
    return text if member.node.value == value else _replace(text, node, member, value)


def _object(node: Node, path: Sequence[str]) -> Node:
    if not isinstance(node.value, dict):
        raise NotAnObjectError(f'"{path[-1]}" is no object' if path else "it is no JSON object")
    return node


def remove(text: str, path: Sequence[str]) -> str:
    """Return the text without the member at a path; unchanged if there is none. Raises UnreadableError."""
    node = _Reader(_document(text)).document()
    for key in path[:-1]:
        member = node.member(key)
        if member is None:
            return text
        node = member.node
    places = [place for place, member in enumerate(node.members) if member.key == path[-1]]
    for place in reversed(places):
        text = _cut(text, node, place)
    return text


def plain(text: str, *, comments: bool) -> str:
    """Return the text as strict readers of JSON take it: without trailing commas and, if not wanted, comments.

    Raises:
        UnreadableError: The text cannot be parsed.
    """
    reader = _Reader(_document(text))
    reader.document()
    cuts = [(comma, comma + 1) for comma in reader.trailing]
    cuts += [] if comments else [_with_its_line(reader.text, *span) for span in reader.comments]
    pieces, at = list[str](), 0
    for start, end in sorted(cuts):
        pieces.append(reader.text[at:start])
        at = end
    return "".join([*pieces, reader.text[at:]])


def _with_its_line(text: str, start: int, end: int) -> tuple[int, int]:
    """Widen the place of a comment by the space before it, and by its line if that has nothing else."""
    line = text[:start].rstrip(" \t")
    rest = text[end:].lstrip(" \t")
    if not line or line.endswith(("\n", "\r")):
        newline = next((mark for mark in ("\r\n", "\n", "\r") if rest.startswith(mark)), "")
        return len(line), len(text) - len(rest) + len(newline)
    return (len(line), end) if not rest or rest[0] in "\r\n" else (start, end)


def shown(text: str, visible: Callable[[tuple[str, ...], str], bool]) -> str:
    """Return the text with its comments and strings hidden, since any of them may hold another program's secret.

    Args:
        text: The text.
        visible: Says whether a string may be shown, given the path to it and its value.

    Raises:
        UnreadableError: The text cannot be parsed.
    """
    reader = _Reader(_document(text))
    strings = _strings(reader.document(), ())
    hidden = [(node.start, node.end, _HIDDEN) for path, node in strings if not visible(path, str(node.value))]
    hidden += [(start, end, "// …" if reader.text[start + 1] == "/" else "/* … */") for start, end in reader.comments]
    pieces, at = list[str](), 0
    for start, end, instead in sorted(hidden):
        pieces += (reader.text[at:start], instead)
        at = end
    return "".join([*pieces, reader.text[at:]])


def _strings(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    """List every string value with the path to it; items of an array have the path of the array."""
    if isinstance(node.value, str):
        yield path, node
    for item in node.items:
        yield from _strings(item, path)
    for member in node.members:
        yield from _strings(member.node, (*path, member.key))


def _document(text: str) -> str:
    return text if text.strip() else "{}\n"


def _insert(text: str, node: Node, key: str, value: Json) -> str:
    """Add a member after the others of an object, formatted as they are."""
    last = node.members[-1] if node.members else None
    if _is_in_one_line(text, node):
        at = node.start + 1 if last is None else (last.node.end if last.comma is None else last.comma + 1)
        lead = "" if last is None else (", " if last.comma is None else " ")
        return text[:at] + lead + json.dumps({key: value}, ensure_ascii=False)[1:-1] + text[at:]
    head, close = text[: node.end - 1].rstrip(), node.end - 1
    if last and last.comma is None:
        head = f"{head[: last.node.end]},{head[last.node.end :]}"
    outer = _indent_at(text, node.start)
    indent = _indent_at(text, node.members[0].start) if last else outer + _unit(text)
    member = f"{json.dumps(key, ensure_ascii=False)}: {_dump(text, value, indent)}"
    trailing = "," if last and last.comma is not None else ""
    newline = _newline(text)
    return f"{head}{newline}{indent}{member}{trailing}{newline}{outer}{text[close:]}"


def _replace(text: str, node: Node, member: Member, value: Json) -> str:
    in_one_line = _is_in_one_line(text, node)
    new = json.dumps(value, ensure_ascii=False) if in_one_line else _dump(text, value, _indent_at(text, member.start))
    return text[: member.node.start] + new + text[member.node.end :]


def _is_in_one_line(text: str, node: Node) -> bool:
    """Say whether a new member goes on the same line: the members are on one line, or the whole file is."""
    if node.members:
        return "\n" not in text[node.start : node.end]
    return "\n" not in text.strip() and text.strip() != "{}"


def _cut(text: str, node: Node, place: int) -> str:
    """Remove a member of an object, with its line if that has nothing else, and with its comma."""
    member, before = node.members[place], node.members[place - 1] if place else None
    spare = before.comma if before and member.comma is None else None
    start, end = member.start, member.node.end if member.comma is None else member.comma + 1
    if spare is not None and not text[spare + 1 : start].strip(" \t"):
        return text[:spare] + text[end:]
    rest = text[end:].lstrip(" \t")
    newline = next((mark for mark in ("\r\n", "\n") if rest.startswith(mark)), "")
    line = text[:start].rstrip(" \t")
    if newline and line.endswith("\n"):
        start, rest = len(line), rest.removeprefix(newline)
    elif member.comma is None:
        rest = text[end:]
    head = text[:start] if spare is None else text[:spare] + text[spare + 1 : start]
    if len(node.members) == 1 and not head[node.start + 1 :].strip() and rest.lstrip().startswith("}"):
        return head[: node.start + 1] + rest.lstrip()
    return head + rest


def _dump(text: str, value: Json, indent: str) -> str:
    """Format a value as the text is formatted; its first line follows the member's name."""
    lines = json.dumps(value, indent=_unit(text), ensure_ascii=False).split("\n")
    return f"{_newline(text)}{indent}".join(lines)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    """Return the indentation of the first indented line."""
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _indent_at(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


@dataclass
class _Reader:
    """A parser of one text.

    Attributes:
        text: The text.
        comments: Start and end of each comment met so far.
        trailing: Each comma met so far that a closing bracket follows.
    """

    text: str
    comments: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    trailing: list[int] = field(default_factory=list[int])
    _at: int = 0
    _depth: int = 0

    def document(self) -> Node:
        """Parse the whole text. Raises UnreadableError."""
        self._skip()
        node = self._node()
        self._skip()
        if self._at < len(self.text):
            self._fail()
        return node

    def _node(self) -> Node:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail()
        opening = self._next
        node = self._object() if opening == "{" else self._array() if opening == "[" else self._scalar()
        self._depth -= 1
        return node

    def _object(self) -> Node:
        start, members = self._at, list[Member]()
        self._take("{")
        while self._next != "}":
            begun = self._at
            if self._next != '"':
                self._fail()
            key = cast("str", self._scalar().value)
            self._skip()
            self._take(":")
            node = self._node()
            self._skip()
            members.append(Member(key, begun, node, self._comma("}")))
        self._at += 1
        value: Json = {member.key: member.node.value for member in members}
        return Node(start, self._at, value, members=tuple(members))

    def _array(self) -> Node:
        start, items = self._at, list[Node]()
        self._take("[")
        while self._next != "]":
            items.append(self._node())
            self._skip()
            self._comma("]")
        self._at += 1
        return Node(start, self._at, [item.value for item in items], items=tuple(items))

    def _comma(self, closing: str) -> int | None:
        """Read the comma that has to follow unless the bracket closes. Returns its index."""
        if self._next == closing:
            return None
        comma = self._at
        self._take(",")
        if self._next == closing:
            self.trailing.append(comma)
        return comma

    def _scalar(self) -> Node:
        start = self._at
        try:
            value, self._at = _SCALARS.raw_decode(self.text, start)
        except ValueError:
            self._fail()
        return Node(start, self._at, cast("Json", value))

    @property
    def _next(self) -> str:
        return self.text[self._at : self._at + 1]

    def _take(self, mark: str) -> None:
        if self._next != mark:
            self._fail()
        self._at += 1
        self._skip()

    def _skip(self) -> None:
        """Skip spaces and comments."""
        while True:
            self._at = self._end(_SPACE)
            comment = self._end(_COMMENT)
            if comment == self._at:
                return
            self.comments.append((self._at, comment))
            self._at = comment

    def _end(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self.text, self._at)
        return found.end() if found else self._at

    def _fail(self) -> NoReturn:
        line = self.text.count("\n", 0, self._at) + 1
        raise UnreadableError(f"line {line} is no JSON")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


# RFC 8259 has no NaN and no Infinity, which Python would accept.
_SCALARS: Final = json.JSONDecoder(parse_constant=_refuse)
