"""JSON Schemas of tools, in the subset that all large model providers and MCP clients accept.

Input schemas have no `anyOf null`, `const`, `$ref`, titles, defaults or `additionalProperties`, with
which the converters of some clients fail; unknown arguments are refused at the call. In output
schemas every field may be missing or null, unknown fields are allowed, and an `error` may replace all.

Pydantic makes such schemas too, but builds the validators of all tools for them, which slows every
start of the server. Here they follow from the annotations alone.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NotRequired, Union, cast, get_args, get_origin

from pydantic import GetCoreSchemaHandler, ValidationInfo, WithJsonSchema
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema
from typing_extensions import is_typeddict

from tools.toolset.shapes import fields_of

_JSON_TYPES: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}

_AROUND: Final[Mapping[str, object]] = {
    "third_party_text": {"type": "string"},
    "withheld": {"type": "array", "items": {"type": "string"}},
    "dry_run": {"type": "object"},
    "error": {"type": "object"},
}
"""The fields that may stand around an answer, or in place of it. docs/answers.md says what is in them."""


class WrittenAsText(ABC):
    """A note in an annotation: values are written as text, which `parse` reads."""

    __slots__ = ()

    @abstractmethod
    def parse(self, text: str, info: ValidationInfo) -> object:
        """Read a text. Raises ValueError."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.with_info_after_validator_function(self.parse, core_schema.str_schema(strict=True))


def input_schema(parameters: Mapping[str, tuple[object, object]], own: frozenset[str]) -> dict[str, object]:
    """Return the schema of a tool's arguments: an object without references, the `own` parameters last.

    Args:
        parameters: The annotation and the default of each parameter; `...` where it is required.
        own: The parameters that the tool's function does not have.
    """
    required = [name for name, (_, default) in parameters.items() if default is ...]
    order = sorted(parameters, key=own.__contains__)
    return _object({name: _with_default(*parameters[name]) for name in order}, required)


def _with_default(hint: object, default: object) -> dict[str, object]:
    """Return the schema of a parameter. A default is said in the description: not all clients take the keyword."""
    schema = _asked(hint)
    if default and default is not ... and len(cast("str", schema.get("enum", "either"))) > 1:
        described = schema.get("description")
        schema["description"] = f"{f'{described}; ' if described else ''}default {default}"
    return schema


def _asked(hint: object) -> dict[str, object]:
    """Return the schema of a type in arguments, with its limits and prose."""
    origin, arms = get_origin(hint), get_args(hint)
    if hint in _JSON_TYPES:
        return {"type": _JSON_TYPES[hint]}
    if origin is Annotated:
        return _noted(arms[0], arms[1:])
    if origin is Literal:
        return {"enum": list(arms), "type": _JSON_TYPES[type(arms[0])]}
    if origin is list:
        return {"items": _asked(arms[0]), "type": "array"}
    if origin in {NotRequired, Union, UnionType}:
        [one] = (arm for arm in arms if arm is not NoneType)
        return _asked(one)
    if is_typeddict(hint):
        required: frozenset[str] = vars(hint)["__required_keys__"]
        fields = fields_of(hint)
        return _object(
            {name: _asked(field) for name, field in fields.items()}, [one for one in fields if one in required]
        )
    raise TypeError(f"{hint} is nothing that an argument can be: see tools.toolset.schemas.")


def _noted(described: object, notes: tuple[object, ...]) -> dict[str, object]:
    for note in notes:
        if isinstance(note, WithJsonSchema):
            return dict(sorted((note.json_schema or {}).items()))
    schema = {"type": "string"} if any(isinstance(note, WrittenAsText) for note in notes) else _asked(described)
    for field in (note for note in notes if isinstance(note, FieldInfo)):
        schema |= dict(_limit(one, schema["type"]) for one in field.metadata)
        if field.description:
            schema["description"] = field.description
    return dict(sorted(schema.items()))


def _limit(limit: object, kind: object) -> tuple[str, object]:
    """Return the keyword of a limit, and its value."""
    size = "Items" if kind == "array" else "Length"
    keywords = {"ge": "minimum", "le": "maximum", "min_length": f"min{size}", "max_length": f"max{size}"}
    [name] = (name for name in keywords if hasattr(limit, name))
    return keywords[name], getattr(limit, name)


def _object(properties: Mapping[str, object], required: list[str]) -> dict[str, object]:
    return {"properties": properties, **({"required": required} if required else {}), "type": "object"}


def names_in(schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of all properties of a schema, at any depth."""
    properties: Mapping[str, Any] = schema.get("properties", {})
    inside = [*properties.values(), *([schema["items"]] if "items" in schema else [])]
    return frozenset(properties).union(*map(names_in, inside))


def output_schema(shape: object, *, may_withhold: bool, may_dry_run: bool) -> dict[str, object]:
    """Return the schema of a tool's answer: the fields of the resource, or `error`.

    Args:
        shape: The type of the answer.
        may_withhold: Personal data may be left out of it.
        may_dry_run: The call may only be tried.
    """
    fields = cast("dict[str, object]", _answer(shape)["properties"])
    around = [
        *(("third_party_text", "withheld") if may_withhold else ()),
        *(("dry_run",) if may_dry_run else ()),
        "error",
    ]
    return {"type": "object", "properties": {**fields, **{name: _AROUND[name] for name in around}}}


@cache
def _answer(hint: object) -> dict[str, object]:
    """Return the schema of a type in an answer, without prose: some clients show it to the model."""
    origin = get_origin(hint)
    if hint in _JSON_TYPES:
        return {"type": _JSON_TYPES[hint]}
    if origin is Annotated:
        return _answer(get_args(hint)[0])
    if origin is list:
        return {"type": "array", "items": _answer(get_args(hint)[0])}
    if origin in {Union, UnionType}:
        return _either([_answer(arm) for arm in get_args(hint)])
    if is_typeddict(origin or hint):
        return {"type": "object", "properties": {name: _answer(field) for name, field in fields_of(hint).items()}}
    return {}


def _either(arms: list[dict[str, object]]) -> dict[str, object]:
    """Merge the schemas of a union into one with a list of types."""
    merged = {key: value for arm in arms for key, value in arm.items()}
    return {**merged, "type": [arm["type"] for arm in arms]}
