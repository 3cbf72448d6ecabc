"""server.json, which the MCP registry is given, and the marks by which it knows the owner of what is named there."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, Final

import jsonschema
import pytest

from server.configuration.settings import SETTINGS

ROOT: Final = Path(__file__).parents[2]
SERVER: Final[dict[str, Any]] = json.loads((ROOT / "server.json").read_text())
SCHEMA: Final[dict[str, Any]] = json.loads((ROOT / "tests/registry/server.schema.json").read_text())
PROJECT: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_it_is_valid_by_the_registrys_own_schema() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    assert SERVER["$schema"] == SCHEMA["$id"]
    jsonschema.validate(SERVER, SCHEMA, jsonschema.Draft7Validator)


@pytest.mark.parametrize("spoiled", [{"name": "no slash"}, {"description": "x" * 101}, {"remotes": [{"type": "http"}]}])
def test_the_schema_would_find_what_is_wrong(spoiled: dict[str, object]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**SERVER, **spoiled}, SCHEMA, jsonschema.Draft7Validator)


def test_it_names_the_version_of_the_package_everywhere() -> None:
    python, image = SERVER["packages"]
    assert SERVER["version"] == python["version"] == PROJECT["version"]
    assert python["identifier"] == PROJECT["name"]
    assert image["identifier"].endswith(f":{PROJECT['version']}")
    assert "version" not in image


def test_it_offers_the_package_the_image_and_a_server_of_ones_own_and_names_no_registry() -> None:
    assert [package["registryType"] for package in SERVER["packages"]] == ["pypi", "oci"]
    assert [package["runtimeHint"] for package in SERVER["packages"]] == ["uvx", "docker"]
    assert "registryBaseUrl" not in json.dumps(SERVER)
    [remote] = SERVER["remotes"]
    assert set(re.findall(r"\{(\w+)\}", remote["url"])) == set(remote["variables"])


def test_what_a_person_is_asked_for_are_settings_there_are_and_a_secret_is_marked() -> None:
    variables = {setting.variable: setting for setting in SETTINGS.values()}
    for package in SERVER["packages"]:
        for asked in package["environmentVariables"]:
            assert variables[asked["name"]].secret is asked.get("isSecret", False)


def test_readme_and_image_say_whose_they_are() -> None:
    assert f"mcp-name: {SERVER['name']}" in (ROOT / "README.md").read_text()
    label = f"LABEL io.modelcontextprotocol.server.name={SERVER['name']}\n"
    assert label in (ROOT / "Dockerfile").read_text()


def test_no_link_of_the_readme_leads_to_a_package_registry() -> None:
    text = (ROOT / "README.md").read_text()
    hosts = set(re.findall(r"https?://([^/)\s\"'`]+)", text))
    assert {host for host in hosts if re.search(r"pypi|npmjs|docker|ghcr|quay", host)} == set()
