"""Inspection of answer types: TypedDicts, possibly generic, inside annotations, unions and lists. Pure."""

from collections.abc import Mapping
from functools import cache
from types import GenericAlias, UnionType
from typing import Annotated, Union, cast, get_args, get_origin, get_type_hints

from typing_extensions import is_typeddict


@cache
def fields_of(shape: object) -> Mapping[str, object]:
    """Return the field annotations of a TypedDict by name; empty for any other type."""
    plain: object = get_origin(shape) or shape
    if not is_typeddict(plain):
        return {}
    parameters: tuple[object, ...] = getattr(plain, "__parameters__", ())
    bound: dict[object, object] = dict(zip(parameters, get_args(shape), strict=True))
    hints = get_type_hints(plain, include_extras=True)
    return {name: _substituted(hint, bound) for name, hint in hints.items()}


@cache
def object_in(hint: object) -> object:
    """Return the TypedDict in an annotation, also inside a list; None if there is none."""
    return next((part for part in parts_of(hint) if is_typeddict(get_origin(part) or part)), None)


def parts_of(hint: object) -> tuple[object, ...]:
    """Return the types in an annotation, without `Annotated`, unions and lists."""
    origin = get_origin(hint)
    if origin is Annotated:
        return parts_of(get_args(hint)[0])
    if origin in {Union, UnionType, list}:
        return tuple(part for arm in get_args(hint) for part in parts_of(arm))
    return (hint,)


def notes_of(hint: object) -> tuple[object, ...]:
    """Return the metadata in an annotation, at any depth of unions."""
    origin = get_origin(hint)
    if origin is Annotated:
        described, *notes = get_args(hint)
        return (*notes, *notes_of(described))
    if origin in {Union, UnionType}:
        return tuple(note for arm in get_args(hint) for note in notes_of(arm))
    return ()


@cache
def is_made_from(shape: object, kind: object) -> bool:
    """Return whether a TypedDict is another one or extends it."""
    bases: tuple[object, ...] = getattr(shape, "__orig_bases__", ())
    return shape is kind or any(is_made_from(base, kind) for base in bases)


@cache
def contains(shape: object, kind: object) -> bool:
    """Return whether answers of a type may contain a TypedDict, at any depth."""
    parts = (part for hint in fields_of(shape).values() for part in parts_of(hint))
    return is_made_from(shape, kind) or any(contains(part, kind) for part in parts)


def _substituted(hint: object, bound: Mapping[object, object]) -> object:
    unbound: tuple[object, ...] = getattr(hint, "__parameters__", ())
    if not unbound:
        return hint
    return cast("GenericAlias", hint)[tuple(bound[parameter] for parameter in unbound)]
