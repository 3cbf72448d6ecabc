"""The matrix of clients: each connects, lists, reads, and cancels a meeting, over stdio and signed in over HTTP."""

import sys
from collections.abc import Generator, Mapping
from typing import Any, Final

import anyio
import pytest

from tests.e2e.hosting import Site
from tests.e2e.people import ADMIN, MEMBER, OWNER, Browser
from tests.e2e.processes import Program, parameters, started
from tests.interop.node import SCRIPTS, node
from tests.server.desk import LOCAL_TOOLS

SAM: Final = "Sam Okoro"
Chosen = dict[str, str]

IN_NODE: Final[Mapping[str, tuple[Chosen, str]]] = {
    "sdk-1.18": ({"script": "client_typescript_v1.mjs", "word": "sdk-1.18"}, OWNER),
    "sdk-1.24": ({"script": "client_typescript_v1.mjs", "word": "sdk-1.24"}, ADMIN),
    "sdk-1.32": ({"script": "client_typescript_v1.mjs", "word": "@modelcontextprotocol/sdk"}, MEMBER),
    "sdk-2-legacy": ({"script": "client_typescript_v2.mjs", "word": "legacy"}, SAM),
    "sdk-2-auto": ({"script": "client_typescript_v2.mjs", "word": "auto"}, OWNER),
    "ai-sdk": ({"script": "client_ai_sdk.mjs"}, MEMBER),
}
IN_PYTHON: Final = {"fastmcp": OWNER, "google-genai": ADMIN, "openai-agents": SAM, "pydantic-ai": OWNER}
"""The lines, and who signs in with each over HTTP."""

MUTE: Final = {"openai-agents"}
"""The lines that ask nobody."""

MODERN: Final = {"sdk-2-auto", "ai-sdk", "fastmcp", "pydantic-ai"}
"""The lines that can be asked over HTTP, too."""


@pytest.fixture(scope="module")
def in_node() -> Generator[Program]:
    """Run the program with all lines in Node."""
    with node(SCRIPTS / "clients.mjs") as running:
        yield running


@pytest.fixture(scope="module")
def in_python() -> Generator[Program]:
    """Run the program with all lines in Python."""
    with started([sys.executable, "-m", "tests.clients.drive"], {}) as running:
        yield running


def check(found: Mapping[str, Any], person: str, tools: set[str], *, asks: bool) -> None:
    """Hold what a client found against what there is."""
    assert found.get("refused") is None
    assert tools <= set(found["tools"])
    assert (found["name"], found["status"]) == (person, "canceled")
    assert (found["asks"], len(found["questions"])) == (asks, int(asks))


def works(client: Program, line: str, chosen: Chosen, site: Site, person: str) -> None:
    """Have a line work over stdio, and then sign in and work over HTTP."""
    server = parameters(["stdio", "--sandbox", "--toolsets", "all"], {})
    client.say({**chosen, "command": server.command, "args": server.args, "env": server.env})
    check(client.hear(), OWNER, {tool.name for tool in LOCAL_TOOLS}, asks=line not in MUTE)
    client.say({**chosen, "endpoint": site.endpoint})
    client.say({"arrived": anyio.run(Browser(person).open, client.hear()["open"])})
    check(client.hear(), person, {"get_current_user", "cancel_scheduled_event"}, asks=line in MODERN)


@pytest.mark.requirement("client-lines")
@pytest.mark.needs("node")
@pytest.mark.parametrize("line", IN_NODE)
def test_a_client_in_node_works_over_stdio_and_then_signs_in_and_works_over_http(
    in_node: Program, site: Site, line: str
) -> None:
    chosen, person = IN_NODE[line]
    works(in_node, line, chosen, site, person)


@pytest.mark.requirement("client-lines")
@pytest.mark.needs("clients")
@pytest.mark.parametrize("name", IN_PYTHON)
def test_a_library_in_python_works_over_stdio_and_then_signs_in_and_works_over_http(
    in_python: Program, site: Site, name: str
) -> None:
    works(in_python, name, {"library": name}, site, IN_PYTHON[name])
