"""The conformance suite of MCP against our own endpoint, on both of its revisions, and against its sign-in.

The suite calls tools, prompts and resources of its own: `suite_fixtures` adds them to our server, and everything that
they are called through is ours.
"""

import re
from collections.abc import Generator
from pathlib import Path
from typing import Final

import anyio
import pytest

from tests.e2e.hosting import Site, register
from tests.e2e.people import Browser
from tests.e2e.processes import program
from tests.interop.node import PACKAGES, node
from tests.ports import kept_port

pytestmark = pytest.mark.needs("node")
SUITE: Final = PACKAGES / "@modelcontextprotocol/conformance/dist/index.js"

PASSING: Final = {"2025-11-25": 26, "2026-07-28": 40}
"""How many scenarios pass: all but those below, so that none is left out in silence."""

# Those that cannot pass, and why. Of 2026-07-28 every scored one passes.
CANNOT: Final = {
    "2025-11-25": {
        "the client is asked in the middle of a call, on a session, and the endpoint is stateless": {
            *("tools-call-sampling", "tools-call-elicitation"),
            *("elicitation-sep1034-defaults", "elicitation-sep1330-enums"),
        },
        "it is about sessions, so that it skips or warns and checks nothing where there are none": {
            *("server-sse-multiple-streams", "server-session-lifecycle", "server-sse-polling"),
        },
    },
    "2026-07-28": {
        "it is about the extension for tasks, which is not offered": {
            *("tasks-lifecycle", "tasks-capability-negotiation", "tasks-wire-fields", "tasks-request-state-removal"),
            *("tasks-mrtr-input", "tasks-request-headers", "tasks-dispatch-and-envelope", "tasks-mrtr-composition"),
            *("tasks-status-notifications", "tasks-required-task-error"),
        },
    },
}
SUMMARY: Final = re.compile(r"^[✓✗] ([\w-]+): (\d+) passed, (\d+) failed$", re.MULTILINE)


@pytest.fixture(scope="module")
def endpoint() -> Generator[str]:
    """Run the endpoint without sign-in, which the suite's server scenarios know nothing of; its address."""
    with program(module="tests.interop.suite_server", CALENDLY_MCP_LOG_LEVEL="warning") as server:
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
    assert ran.keys() - passed == set().union(*CANNOT[revision].values()), told
    assert len(passed) == PASSING[revision], told


def test_the_authorization_scenarios_pass(site: Site, tmp_path: Path) -> None:
    with kept_port() as port:
        app = register(site, f"http://127.0.0.1:{port}/callback", "Conformance")
        words = ["--url", site.url, "--client-id", app.id, "--resource", site.endpoint, "--port", str(port)]
        with node(SUITE, "authorization", *words, "--output-dir", str(tmp_path)) as suite:
            assert suite.process.stdout is not None
            address = next(line.strip() for line in suite.process.stdout if line.startswith(f"{site.url}/authorize"))
            next(line for line in suite.process.stdout if line.startswith("Callback server started"))
            anyio.run(Browser("Sam Okoro").arrive, address)
            ended = suite.end()
    assert ended.status == 0, ended.stdout
    assert checks(ended.stdout) == {
        "authorization-server-metadata-endpoint": (2, 0),
        "authorization-code-grant": (1, 0),
    }
