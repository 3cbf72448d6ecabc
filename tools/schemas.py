"""JSON Schemas of tools, in the subset that every large model provider and MCP client accepts.

Input schemas: optional parameters without `anyOf null`, no `const`, no `$ref`, no titles. Output schemas: every field
may be missing or null, more fields may come, and an `error` may stand in place of all.
"""

from functools import cache
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

ERROR_SCHEMA: dict[str, object] = {
    "type": "object",
    "description": "Present instead of the fields above when the call failed",
    "properties": {
        "kind": {"type": "string"},
        "status": {"type": "integer"},
        "title": {"type": "string"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {"type": "object"}},
        "required_scopes": {"type": "array", "items": {"type": "string"}},
        "retry_after": {"type": "number"},
        "retryable": {"type": "boolean"},
        "next_step": {"type": "string"},
        "confirmation": {"type": "string"},
    },
}


class _Plain(GenerateJsonSchema):
    """What inputs and outputs share: no titles."""

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _Inputs(_Plain):
    """Optional parameters are simply not required: null is taken as absent, but not offered."""

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        described = super().default_schema(schema)
        if described.get("default", ...) is None:
            del described["default"]
        return described

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
    """The schema of a tool's arguments: one object, closed, without references. Parameters named in `own` come last."""
    schema = _whole(model.model_json_schema(schema_generator=_Inputs))
    properties = schema.get("properties", {})
    return {**schema, "properties": {name: properties[name] for name in sorted(properties, key=own.__contains__)}}


@cache
def output_schema(shape: object) -> dict[str, object]:
    """The schema of a tool's answer: the resource's fields, or `error`."""
    adapter = TypeAdapter(cast("type[object]", shape))
    schema = _whole(adapter.json_schema(schema_generator=_Plain, mode="serialization"))
    properties = schema.get("properties", {})
    return {"type": "object", "properties": {**properties, "error": ERROR_SCHEMA}}


def _whole(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema with every reference replaced by what it names, without class names and without closing objects."""
    definitions: JsonSchemaValue = schema.get("$defs", {})

    def inlined(node: JsonSchemaValue) -> JsonSchemaValue:
        if "$ref" in node:
            node = {**definitions[node["$ref"].rpartition("/")[2]], **node}
        return _short_nullable({key: inside(value) for key, value in node.items() if not _is_noise(key, value)})

    def inside(value: object) -> object:
        if isinstance(value, list):
            return [inside(item) for item in cast("list[object]", value)]
        return inlined(cast("JsonSchemaValue", value)) if isinstance(value, dict) else value

    return inlined(schema)


def _short_nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    """A list of types instead of `anyOf` with null, which says the same in fewer words."""
    kinds = schema.get("anyOf", [])
    if kinds[1:] != [{"type": "null"}] or not isinstance(kinds[0].get("type"), str):
        return schema
    outside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**kinds[0], **outside, "type": [kinds[0]["type"], "null"]}


def _is_noise(key: str, value: object) -> bool:
    # A property may be called "title" too: its value is a schema, a class name is text.
    return key in {"$defs", "$ref"} or (key == "title" and isinstance(value, str)) or (key, value) == _OPEN


_OPEN = ("additionalProperties", True)
