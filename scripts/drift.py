"""What an OpenAPI document of Calendly's has that our facts lack, and the other way round.

The facts are `tests/calendly_api/endpoints.json`, against which the contract tests hold every declaration. Both sides
become the same flat form, so that they are compared line by line.
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

Schema = Mapping[str, Any]
Operations = dict[str, dict[str, str]]
"""By method and path, what there is to know of an operation: `query sort`, `body rules[].type`, `scope` and so on."""

FACTS: Final = Path(__file__).parents[1] / "tests/calendly_api/endpoints.json"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_SCOPE: Final = re.compile(r"`([a-z_]+:(?:read|write))`")
_DEEPEST: Final = 12
"""Levels of a schema: one that contains itself ends there."""


def known() -> Operations:
    """Read our facts."""
    found: Operations = {}
    for fact in json.loads(FACTS.read_text()):
        told = {"scope": fact["scope"]}
        for parameter in fact["query_params"]:
            told[f"query {parameter['name']}"] = _words(parameter, is_required=parameter["required"])
        told |= dict(_fields("body", fact["body"] or {}, {}))
        told |= dict(_fields("answer", fact["response"] or {}, {}))
        found[_name(fact["method"], fact["path"])] = told
    return found


def described(document: Schema) -> Operations:
    """Read an OpenAPI document. Raises ValueError if it is none."""
    if "paths" not in document:
        raise ValueError("it has no `paths`: this is no OpenAPI document")
    return {
        _name(method, path): _operation(item, item[method], document)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    }


def differences(ours: Operations, theirs: Operations) -> Iterator[str]:
    """Yield a line for each difference, in the order of the operations."""
    for name in sorted({*ours, *theirs}):
        if name not in ours:
            yield f"+ {name} ({theirs[name].get('scope', 'scope not stated')})"
        elif name not in theirs:
            yield f"- {name}"
        else:
            yield from (f"~ {name}: {change}" for change in _changes(ours[name], theirs[name]))


def _changes(ours: Mapping[str, str], theirs: Mapping[str, str]) -> Iterator[str]:
    for part in sorted({*ours, *theirs}):
        if part not in ours:
            yield f"{part} was added{f' ({theirs[part]})' if theirs[part] else ''}"
        elif part not in theirs:
            yield f"{part} is gone"
        elif ours[part] != theirs[part]:
            yield f"{part} was {ours[part] or 'of any value'}, and is {theirs[part] or 'of any value'}"


def _name(method: str, path: str) -> str:
    return f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path)}"


def _operation(item: Schema, operation: Schema, document: Schema) -> dict[str, str]:
    told: dict[str, str] = {}
    if scope := _scope(operation):
        told["scope"] = scope
    for raw in [*item.get("parameters", ()), *operation.get("parameters", ())]:
        parameter = _resolved(raw, document)
        if parameter.get("in") == "query":
            schema = _resolved(parameter.get("schema", {}), document)
            told[f"query {parameter['name']}"] = _words(schema, is_required=bool(parameter.get("required")))
    told |= dict(_fields("body", _json_of(_resolved(operation.get("requestBody", {}), document)), document))
    for status, raw in operation.get("responses", {}).items():
        if str(status).startswith("2"):
            told |= dict(_fields("answer", _json_of(_resolved(raw, document)), document))
    return told


def _scope(operation: Schema) -> str | None:
    """Return the scope that an operation states: in its security requirement, else in backticks in its description."""
    stated = [scope for one in operation.get("security", ()) for scopes in one.values() for scope in scopes]
    found = stated or _SCOPE.findall(operation.get("description", ""))
    return found[0] if found else None


def _json_of(body: Schema) -> Schema:
    for media in body.get("content", {}).values():
        schema: Schema = media.get("schema", {})
        return schema
    return {}


def _resolved(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        place: Any = document
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            place = place[step.replace("~1", "/").replace("~0", "~")]
        schema = place
    return schema


def _fields(place: str, schema: Schema, document: Schema, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield the fields of a schema by dotted path, with the values that each may have."""
    schema = _resolved(schema, document)
    if depth > _DEEPEST:
        return
    for inner in (part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, ())):
        yield from _fields(place, inner, document, depth + 1)
    for name, raw in schema.get("properties", {}).items():
        inner = _resolved(raw, document)
        between = " " if place in {"body", "answer"} else "."
        path = f"{place}{between}{name}"
        yield path, _words(inner)
        yield from _fields(path, inner, document, depth + 1)
    if "items" in schema:
        yield from _fields(f"{place}[]", schema["items"], document, depth + 1)


def _words(schema: Schema, *, is_required: bool = False) -> str:
    values = sorted(str(value) for value in schema.get("enum", ()) if value is not None)
    return ", ".join([*(["required"] if is_required else []), *values])


def main(arguments: Sequence[str]) -> int:
    """Compare; returns the exit status."""
    if len(arguments) != 1:
        print("drift: name one file, an OpenAPI document in JSON", file=sys.stderr)
        return 2
    try:
        theirs = described(json.loads(Path(arguments[0]).read_text()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as fault:
        print(f"drift: {arguments[0]} cannot be read: {fault}", file=sys.stderr)
        return 2
    lines = list(differences(known(), theirs))
    print("\n".join(lines) if lines else "nothing was added, removed or changed")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
