"""Arguments as models write them, read as they are meant. Pure.

Models fill parameters that they do not need with null or what is empty, some because their client
makes every parameter a required one (smolagents, OpenAI's strict mode). They write whole numbers as
30.0, which JSON Schema (2020-12, validation, 6.1.1) counts as an integer, an object or a list as
JSON text, a list of words, ids or addresses as these with commas, a list of texts as the only one of
them, a text as a list of one, a number, true or false as text, a choice in another case or spelling,
and each status as "all". Some clients add names of their own, which begin with an underscore.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

_NOTHING: Final[tuple[object, ...]] = ("", {}, [])
_WORD: Final = re.compile(r"[^\s@]+@[^\s@]+|https?://\S+|[a-z0-9][a-z0-9_:-]*")
"""What has no comma in it: an address, an id, a word of ours. A name may have one."""

_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,9})?")
_SPELLINGS: Final[Mapping[str, str]] = {"cancelled": "canceled"}
_SHORTEST_DAY: Final = 3
_ANY: Final = frozenset({"all", "any"})
"""Statuses that stand for each one, as if the parameter were left out."""

_PLAIN_TYPES: Final = frozenset({"integer", "number", "boolean"})
_TYPES: Final[Mapping[object, type]] = {"object": dict, "array": list}


def as_meant(arguments: Mapping[str, object], schema: Mapping[str, Any]) -> dict[str, object]:
    """Return arguments without what stands for nothing, and with the types of the schema.

    Args:
        arguments: As received.
        schema: The JSON Schema of the object.
    """
    texts = {name for name, one in schema.get("properties", {}).items() if one.get("type") == "string"}
    return _object({name: _only(value) if name in texts else value for name, value in arguments.items()}, schema)


def _object(arguments: Mapping[str, object], schema: Mapping[str, Any]) -> dict[str, object]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    read = {
        name: _value(value, properties.get(name, {})) for name, value in arguments.items() if not name.startswith("_")
    }
    if (
        str(read.get("status")).casefold() in _ANY
        and "enum" in properties.get("status", {})
        and "status" not in required
    ):
        del read["status"]
    return {
        name: value
        for name, value in read.items()
        if not (name in properties and (value is None or (value in _NOTHING and name not in required)))
    }


def _value(value: object, schema: Mapping[str, Any]) -> object:
    kind = schema.get("type")
    if isinstance(value, str) and kind in _PLAIN_TYPES:
        value = _plain(value, kind)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and kind in _TYPES:
        read = _read(value, _TYPES[kind])
        return _inside(_items(value, schema) if read is value else read, schema, kind)
    if isinstance(value, str) and "enum" in schema:
        return _choice(value, schema["enum"])
    return _inside(value, schema, kind)


def _choice(text: str, words: Sequence[str]) -> str:
    """Return the choice that is meant: in another case, in British spelling, or a weekday cut short."""
    wanted = text.strip().casefold()
    wanted = _SPELLINGS.get(wanted, wanted)
    same = [word for word in words if word.casefold() == wanted]
    cut = [word for word in words if len(wanted) >= _SHORTEST_DAY and word.endswith("day") and word.startswith(wanted)]
    return next(iter([*same, *cut]), text)


def _plain(text: str, kind: object) -> object:
    """Return the number, or the yes or no, that is written as a text; the text itself if that is no such thing."""
    word = text.strip().casefold()
    if kind == "boolean":
        return {"true": True, "false": False}.get(word, text)
    return float(word) if _NUMBER.fullmatch(word) else text


def _only(value: object) -> object:
    """Return the only text of a list, any other value as it is."""
    if not isinstance(value, list):
        return value
    items = cast("list[object]", value)
    return items[0] if len(items) == 1 and isinstance(items[0], str) else items


def _items(text: str, schema: Mapping[str, Any]) -> object:
    """Return a text as the list of texts that it stands for: words or addresses with commas, else its only item."""
    items = schema.get("items", {})
    if items.get("type") != "string" or not text.strip() or text.lstrip()[0] in '[{"':
        return text
    words = [word.strip() for word in text.split(",") if word.strip()]
    return words if "enum" in items or all(_WORD.fullmatch(word) for word in words) else [text]


def _inside(value: object, schema: Mapping[str, Any], kind: object) -> object:
    plain = value
    if isinstance(value, dict) and kind == "object":
        return _object(cast("dict[str, object]", value), schema)
    if isinstance(value, list) and kind == "array":
        return [_value(item, schema.get("items", {})) for item in cast("list[object]", value)]
    return plain


def _read(text: str, kind: type) -> object:
    """Return what a JSON text holds, the text itself if that is no such thing."""
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, kind) else text
