"""The schemas that agents read, against the validators that check what agents send."""

from typing import Any

import pytest

import tools
from tests.cases import each
from tools import Tool
from tools.toolset.schemas import input_schema

NOISE = {"$defs", "title", "default", "additionalProperties", "description"}


def bare(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return what pydantic's schema demands, in our subset: in place of references and nulls what they stand for."""
    if "$ref" in schema:
        return bare(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        [one] = (arm for arm in schema["anyOf"] if arm != {"type": "null"})
        return bare(one, definitions)
    found = {key: value for key, value in schema.items() if key not in NOISE}
    if "const" in found:
        found["enum"] = [found.pop("const")]
    if "items" in found:
        found["items"] = bare(found["items"], definitions)
    if "properties" in found:
        found["properties"] = {name: bare(one, definitions) for name, one in found["properties"].items()}
    return found


@each("tool", tools.ALL)
def test_what_an_agent_reads_of_arguments_is_what_is_demanded_of_them(tool: Tool) -> None:
    demanded = tool.model.model_json_schema()

    assert bare(tool.input_schema, {}) == bare(demanded, demanded.get("$defs", {}))


@each("hint", [dict[str, str], int | str, object])
def test_a_type_of_which_clients_have_no_schema_is_refused_where_it_is_declared(hint: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        input_schema({"parameter": (hint, ...)}, frozenset())
