"""The matrix of clients: each connects, lists, reads, and cancels a meeting, over stdio and signed in over HTTP."""

import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import anyio
import pytest

from tests.e2e.hosting import Site
from tests.e2e.people import ADMIN, MEMBER, OWNER, Browser
from tests.e2e.processes import Program, parameters, started
from tests.interop.node import SCRIPTS, node
from tests.server.desk import LOCAL_TOOLS

SAM: Final = "Sam Okoro"
LINES: Final = {
    "sdk-1.18": ("client_typescript_v1.mjs", "sdk-1.18", OWNER),
    "sdk-1.24": ("client_typescript_v1.mjs", "sdk-1.24", ADMIN),
    "sdk-1.32": ("client_typescript_v1.mjs", "@modelcontextprotocol/sdk", MEMBER),
    "sdk-2-legacy": ("client_typescript_v2.mjs", "legacy", SAM),
    "sdk-2-auto": ("client_typescript_v2.mjs", "auto", OWNER),
    "ai-sdk": ("client_ai_sdk.mjs", "", MEMBER),
}
MODERN: Final = {"sdk-2-auto", "ai-sdk", "fastmcp", "pydantic-ai"}
"""The lines that can be asked over HTTP, too."""


def check(found: Mapping[str, Any], person: str, tools: set[str], *, asks: bool) -> None:
    """Hold what a client found against what there is."""
    assert found.get("refused") is None
    assert tools <= set(found["tools"])
    assert (found["name"], found["status"]) == (person, "canceled")
    assert (found["asks"], len(found["questions"])) == (asks, int(asks))


@pytest.mark.requirement("client-lines")
@pytest.mark.needs("node")
@pytest.mark.parametrize("line", LINES)
def test_a_client_in_node_works_over_stdio(line: str) -> None:
    script, word, _ = LINES[line]
    server = parameters(["stdio", "--sandbox", "--toolsets", "all"], {})
    with node(SCRIPTS / script, word) as client:
        client.say({"command": server.command, "args": server.args, "env": server.env})
        check(client.hear(), OWNER, {tool.name for tool in LOCAL_TOOLS}, asks=True)


@pytest.mark.requirement("client-lines")
@pytest.mark.needs("node")
@pytest.mark.parametrize("line", LINES)
def test_a_client_in_node_signs_in_and_works_over_http(site: Site, line: str) -> None:
    script, word, person = LINES[line]
    with node(SCRIPTS / script, word) as client:
        client.say({"endpoint": site.endpoint})
        client.say({"arrived": anyio.run(Browser(person).open, client.hear()["open"])})
        check(client.hear(), person, {"get_current_user", "cancel_scheduled_event"}, asks=line in MODERN)


LIBRARIES: Final = {
    "fastmcp": (OWNER, True),
    "google-genai": (ADMIN, True),
    "openai-agents": (SAM, False),
    "pydantic-ai": (OWNER, True),
}
"""The libraries in Python, who signs in with each over HTTP, and whether it can ask its person."""


@contextmanager
def library(name: str) -> Generator[Program]:
    """Start the program that drives a library; it is killed when the block is left."""
    with started([sys.executable, "-m", "tests.clients.drive", name], {}) as running:
        yield running


@pytest.mark.requirement("client-lines")
@pytest.mark.needs("clients")
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_in_python_works_over_stdio_and_then_signs_in_and_works_over_http(site: Site, name: str) -> None:
    server = parameters(["stdio", "--sandbox", "--toolsets", "all"], {})
    person, asks = LIBRARIES[name]
    with library(name) as client:
        client.say({"command": server.command, "args": server.args, "env": server.env})
        check(client.hear(), OWNER, {tool.name for tool in LOCAL_TOOLS}, asks=asks)
        client.say({"endpoint": site.endpoint})
        client.say({"arrived": anyio.run(Browser(person).open, client.hear()["open"])})
        check(client.hear(), person, {"get_current_user", "cancel_scheduled_event"}, asks=name in MODERN)
