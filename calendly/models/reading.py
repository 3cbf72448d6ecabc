"""Reads any answer as one of the models, whatever Calendly sent."""

from functools import cache
from typing import Any, Final, TypeAlias, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")
Path: TypeAlias = tuple[int | str, ...]

UNRECOGNIZED: Final = "unrecognized"
"""The key for values of an unexpected type: an object from dotted path to value."""

_RESERVED: Final = "error"
"""The field of a failed call. A field of Calendly's with this name is moved aside as well."""


def read(shape: type[T], value: object) -> T:
    """Return `value` as a `shape`, a TypedDict of this package. Never raises.

    Fields that fit stay as they are, unknown fields included. A value of an unexpected type moves to the
    top-level key `unrecognized`, so that the rest can be relied on. Items after one that was taken out
    of a list move up.
    """
    if not isinstance(value, dict):
        return cast("T", {UNRECOGNIZED: {"": value}})
    known = cast("dict[str, object]", value)
    if _RESERVED in known or _misfits(shape, known):
        return cast("T", _sorted_out(shape, known))
    return cast("T", known)


@cache
def _adapter(shape: object) -> TypeAdapter[object]:
    return TypeAdapter(cast("type[object]", shape))


def _misfits(shape: object, value: object) -> list[Path]:
    """Return the paths of values that do not fit, later items of a list before earlier ones."""
    try:
        _adapter(shape).validate_python(value, strict=True)
    except ValidationError as fault:
        errors = reversed(fault.errors(include_url=False, include_context=False, include_input=False))
        paths = dict.fromkeys(_existing(value, error["loc"]) for error in errors)
        return [path for path in paths if not any(path[:end] in paths for end in range(len(path)))]
    return []


def _existing(value: object, place: Path) -> Path:
    """Return the part of `place` that exists in `value`.

    After a union, pydantic goes on with names of members.
    """
    for end in range(len(place)):
        try:
            _at(value, place[: end + 1])
        except (LookupError, TypeError):
            return place[:end]
    return place


def _sorted_out(shape: object, value: dict[str, object]) -> dict[str, object]:
    aside: dict[str, object] = {name: value[name] for name in (_RESERVED, UNRECOGNIZED) if name in value}
    rest = {name: field for name, field in value.items() if name not in aside}
    while misfits := _misfits(shape, rest):
        for path in misfits:
            aside[".".join(map(str, path))] = _at(rest, path)
            rest = _without(rest, path)
    return {**rest, UNRECOGNIZED: aside}


def _at(value: object, path: Path) -> object:
    for step in path:
        value = cast("Any", value)[step]
    return value


def _without(value: T, path: Path) -> T:
    """Return a copy of an object or array without the value at `path`.

    Only values on the path are copied.
    """
    copy = cast("Any", value).copy()
    step, *rest = path
    if rest:
        copy[step] = _without(copy[step], tuple(rest))
    else:
        del copy[step]
    return cast("T", copy)
