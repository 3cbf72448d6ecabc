"""Calendly's next operation, found by comparing its OpenAPI document with our facts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.drift import FACTS, described, differences, known, main
from tests.cases import each

Document = dict[str, Any]


def document() -> Document:
    """Our facts, as Calendly publishes them."""
    paths: Document = {}
    for fact in json.loads(FACTS.read_text()):
        paths.setdefault(fact["path"], {})[fact["method"].lower()] = {
            "security": [{"oauth2": [fact["scope"]]}],
            "parameters": [
                {"in": "query", "name": one["name"], "required": one["required"], "schema": one}
                for one in fact["query_params"]
            ],
            "requestBody": {"content": {"application/json": {"schema": fact["body"] or {}}}},
            "responses": {"2XX": {"content": {"application/json": {"schema": fact["response"] or {}}}}},
        }
    return {"openapi": "3.1.0", "paths": paths}


def drift(change: Callable[[Document], object]) -> list[str]:
    told = document()
    change(told)
    return list(differences(known(), described(told)))


def test_what_is_the_same_has_no_differences() -> None:
    assert drift(lambda _: None) == []


def parameters(told: Document) -> list[Document]:
    listed: list[Document] = told["paths"]["/event_types"]["get"]["parameters"]
    return listed


def share(told: Document) -> Document:
    body: Document = told["paths"]["/shares"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    return body


CHANGES: list[tuple[Callable[[Document], object], str]] = [
    (lambda told: told["paths"].update({"/polls": {"post": {}}}), "+ POST /polls (scope not stated)"),
    (lambda told: told["paths"].pop("/locations"), "- GET /locations"),
    (
        lambda told: parameters(told).append({"in": "query", "name": "team", "schema": {}}),
        "~ GET /event_types: query team was added",
    ),
    (lambda told: parameters(told).pop(), "~ GET /event_types: query count is gone"),
    (
        lambda told: share(told)["properties"]["period_type"].update({"enum": ["fixed"]}),
        "~ POST /shares: body period_type was available_moving, fixed, moving, unlimited, and is fixed",
    ),
    (
        lambda told: share(told)["properties"].update({"contact": {"type": "string"}}),
        "~ POST /shares: body contact was added",
    ),
    (
        lambda told: told["paths"]["/shares"]["post"].update({"security": [], "description": "`shares:admin`"}),
        "~ POST /shares: scope is gone",
    ),
    (
        lambda told: told["paths"]["/shares"]["post"].update({"security": [{"oauth2": ["users:read"]}]}),
        "~ POST /shares: scope was shares:write, and is users:read",
    ),
]


@each("change, line", CHANGES)
def test_each_kind_of_difference_is_a_line(change: Callable[[Document], object], line: str) -> None:
    assert drift(change) == [line]


def test_references_and_parts_are_followed_and_a_schema_in_itself_ends() -> None:
    told = document()
    body = share(told)
    loop: Document = {"properties": {"next": {"$ref": "#/components/schemas/Loop"}}}
    told["components"] = {"schemas": {"Share": {"allOf": [dict(body)]}, "Loop": loop}}
    content = told["paths"]["/shares"]["post"]["requestBody"]["content"]["application/json"]
    content["schema"] = {"$ref": "#/components/schemas/Share"}
    assert list(differences(known(), described(told))) == []
    content["schema"] = {"allOf": [{"$ref": "#/components/schemas/Share"}, {"$ref": "#/components/schemas/Loop"}]}
    assert "~ POST /shares: body next was added" in list(differences(known(), described(told)))


def test_the_status_is_1_for_a_difference_and_2_for_what_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same, other, nothing = (tmp_path / name for name in ("same.json", "other.json", "nothing.json"))
    told = document()
    same.write_text(json.dumps(told))
    del told["paths"]["/locations"]
    other.write_text(json.dumps(told))
    nothing.write_text("<html>")
    assert (main([str(same)]), main([str(other)]), main([str(nothing)]), main([])) == (0, 1, 2, 2)
    assert "- GET /locations" in capsys.readouterr().out
