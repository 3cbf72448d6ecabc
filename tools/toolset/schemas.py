"""JSON Schemas of tools, in the subset that all large model providers and MCP clients accept.

Input schemas have no `anyOf null`, `const`, `$ref`, titles, defaults or `additionalProperties`, with
which the converters of some clients fail; unknown arguments are refused at the call. In output
schemas every field may be missing or null, unknown fields are allowed, and an `error` may replace all.
"""

from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import is_typeddict, override

from tools.toolset.shapes import fields_of

_AROUND: Final[Mapping[str, object]] = {
    "third_party_text": {"type": "string"},
    "withheld": {"type": "array", "items": {"type": "string"}},
    "dry_run": {"type": "object"},
    "error": {"type": "object"},
}
"""The fields that may stand around an answer, or in place of it. docs/answers.md says what is in them."""


class _Inputs(GenerateJsonSchema):
    """Generates input schemas without titles and nulls; optional parameters are not required."""

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    @override
    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        described = super().typed_dict_schema(schema)
        described.pop("description", None)  # the docstring is for people who read the code
        return described

    @override
    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        described = super().literal_schema(schema)
        if "const" in described:
            described["enum"] = [described.pop("const")]
        return described


def input_schema(model: type[BaseModel], own: frozenset[str]) -> dict[str, object]:
    """Return the schema of a tool's arguments: an object without references, the `own` parameters last.

    A default is said in the description: the keyword is none that all clients take.
    """
    schema = _whole(model.model_json_schema(schema_generator=_Inputs))
    properties = schema.get("properties", {})
    for name, field in model.model_fields.items():
        if not field.is_required() and field.default and len(properties[name].get("enum", "either")) > 1:
            described = properties[name].get("description")
            properties[name]["description"] = f"{f'{described}; ' if described else ''}default {field.default}"
    return {**schema, "properties": {name: properties[name] for name in sorted(properties, key=own.__contains__)}}


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
    """Return the schema of a type in an answer, without prose: some clients show it to the model.

    Pydantic makes such a schema too, but also builds validators, which slows every start of the
    server.
    """
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


_JSON_TYPES: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}


def _whole(schema: JsonSchemaValue) -> JsonSchemaValue:
    """Inline all references; drop class names and `additionalProperties`."""
    definitions: JsonSchemaValue = schema.get("$defs", {})

    def inlined(node: JsonSchemaValue) -> JsonSchemaValue:
        if "$ref" in node:
            node = {**definitions[node["$ref"].rpartition("/")[2]], **node}
        return {key: inside(value) for key, value in node.items() if not _is_noise(key, value)}

    def inside(value: object) -> object:
        if isinstance(value, list):
            return [inside(item) for item in cast("list[object]", value)]
        return inlined(cast("JsonSchemaValue", value)) if isinstance(value, dict) else value

    return inlined(schema)


def _is_noise(key: str, value: object) -> bool:
    # A property may be called "title" too: its value is a schema, a class name is text.
    return key in {"$defs", "$ref", "additionalProperties"} or (key == "title" and isinstance(value, str))
