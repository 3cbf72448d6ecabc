"""The conformance suite of MCP against our own endpoint, on both of its revisions, and against its sign-in.

The suite wants a server made for it, with tools, prompts and resources of its own. Ours has none of them, so of every
scenario stands here whether it passes, or why it cannot.
"""

import re
from collections.abc import Generator
from itertools import chain
from pathlib import Path
from typing import Final

import httpx2
import pytest

from tests.e2e.hosting import free_port
from tests.e2e.processes import program
from tests.interop.browser import sign_in_and_return
from tests.interop.node import PACKAGES, node

pytestmark = pytest.mark.needs("node")
SUITE: Final = PACKAGES / "@modelcontextprotocol/conformance/dist/index.js"

PASS: Final = {
    "2025-11-25": {"server-initialize", "ping", "tools-list", "dns-rebinding-protection"},
    "2026-07-28": {
        *("tools-list", "server-sse-multiple-streams", "sep-2164-resource-not-found", "dns-rebinding-protection"),
        *("http-header-validation", "input-required-result-missing-input-response"),
        *("input-required-result-unsupported-methods", "input-required-result-ignore-extra-params"),
        "input-required-result-validate-input",
    },
}

# Those that cannot pass, and why, by the words that their names begin with.
CANNOT: Final = {
    "calls a tool of the suite's own": (
        *("tools-call-", "json-schema-2020-12", "elicitation-sep", "input-required-result-"),
        "http-custom-header-server-validation",
    ),
    "calls tools of the suite's own in some of its checks": ("server-stateless",),
    "looks at lists of resources and prompts beside that of tools": ("caching",),
    "is about resources, prompts, completion or logging, none of which is offered": (
        *("resources-", "prompts-", "completion-complete", "logging-set-level"),
    ),
    "is about the tasks extension, which is not offered": ("tasks-",),
    "is about sessions, streams or notifications, none of which a stateless server has, so it checks nothing": (
        *("server-session-lifecycle", "server-sse-polling", "server-sse-multiple-streams"),
        "tasks-status-notifications",
    ),
}
# The checks that pass and fail in those that can pass in part.
IN_PART: Final = {"server-stateless": (21, 4), "caching": (4, 3)}
SUMMARY: Final = re.compile(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed$", re.MULTILINE)


@pytest.fixture(scope="module")
def endpoint() -> Generator[str]:
    """Run the endpoint without sign-in, which the suite's server scenarios know nothing of; its address."""
    with program("http", "--auth", "none", "--sandbox", "--port", "0", CALENDLY_MCP_LOG_LEVEL="warning") as server:
        yield server.line("ready: ")


def checks(told: str) -> dict[str, tuple[int, int]]:
    """Read how many checks of each scenario passed and failed."""
    return {name: (int(passed), int(failed)) for name, passed, failed in SUMMARY.findall(told)}


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
def test_the_server_scenarios_pass_but_for_those_that_cannot(endpoint: str, revision: str, tmp_path: Path) -> None:
    with node(SUITE, "server", "--url", endpoint, "--requirements", revision, "--output-dir", str(tmp_path)) as suite:
        told = suite.end().stdout
    ran = checks(told)
    passed = {name for name, (good, bad) in ran.items() if good and not bad}
    assert passed == PASS[revision], told
    beginnings = tuple(chain.from_iterable(CANNOT.values()))
    assert [name for name in ran.keys() - passed if not name.startswith(beginnings)] == []
    assert {name: ran[name] for name in IN_PART.keys() & ran} == (IN_PART if revision == "2026-07-28" else {})


def test_the_authorization_scenarios_pass(hosted: str, tmp_path: Path) -> None:
    issuer = hosted.removesuffix("/mcp")
    port = free_port()
    back = f"http://127.0.0.1:{port}/callback"
    client = {"client_name": "Conformance", "redirect_uris": [back], "token_endpoint_auth_method": "none"}
    registered = httpx2.post(f"{issuer}/register", json=client).raise_for_status().json()
    words = ["--url", issuer, "--client-id", registered["client_id"], "--resource", hosted, "--port", str(port)]
    with node(SUITE, "authorization", *words, "--output-dir", str(tmp_path)) as suite:
        assert suite.process.stdout is not None
        address = next(line.strip() for line in suite.process.stdout if line.startswith(f"{issuer}/authorize"))
        next(line for line in suite.process.stdout if line.startswith("Callback server started"))
        sign_in_and_return(address, "Sam Okoro")
        ended = suite.end()
    assert ended.status == 0, ended.stdout
    assert checks(ended.stdout) == {
        "authorization-server-metadata-endpoint": (2, 0),
        "authorization-code-grant": (1, 0),
    }
