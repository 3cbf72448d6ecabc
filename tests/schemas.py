"""JSON Schemas that are checked once."""

import json
from collections.abc import Generator, Mapping
from typing import Any

import jsonschema
import pytest


@pytest.fixture(scope="session", autouse=True)
def checking_schemas_once() -> Generator[None]:
    """Check each schema once in a process, and not before each value that is held against it.

    To check the output schema of a tool takes a hundred times as long as to check an answer, and jsonschema does so for
    each answer, the SDK's client for each connection. A schema that is none is refused each time.
    """
    check = jsonschema.Draft202012Validator.check_schema
    checked = set[str]()

    def check_once(schema: Mapping[str, Any], **options: Any) -> None:  # noqa: ANN401 - those of jsonschema
        if (text := json.dumps(schema)) not in checked:
            check(schema, **options)
            checked.add(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonschema.Draft202012Validator, "check_schema", check_once)
        yield
