"""The Inspector's command line signs in and calls, over the handshake and without."""

import json
from pathlib import Path

import anyio
import pytest

from sandbox.records.identifiers import fixed_id
from tests.e2e.hosting import Site
from tests.e2e.people import Browser
from tests.e2e.processes import parameters
from tests.interop.node import NO_BROWSER, PACKAGES, node

pytestmark = pytest.mark.needs("node")
INSPECTOR = PACKAGES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"


@pytest.mark.requirement("client-lines")
@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_signs_in_and_calls_a_tool(site: Site, tmp_path: Path, era: str) -> None:
    words = ["--cli", site.endpoint, "--transport", "http", "--protocol-era", era, "--format", "json"]
    words += ["--method", "tools/call", "--tool-name", "get_current_user"]
    words += ["--callback-url", "http://127.0.0.1:0/oauth/callback"]
    # Without a terminal it signs in only when it may open a browser, of which it finds none.
    settings = {**NO_BROWSER, "HOME": str(tmp_path), "MCP_AUTO_OPEN_ENABLED": "true"}
    with node(INSPECTOR, *words, MCP_INSPECTOR_SECRET_STORE="memory", **settings) as inspector:
        anyio.run(Browser("Erik Dahl").arrive, inspector.line("Please navigate to: "))
        ended = inspector.end()
    assert ended.status == 0, ended.stderr
    assert json.loads(ended.stdout)["result"]["structuredContent"]["name"] == "Erik Dahl"


@pytest.mark.requirement("client-lines")
def test_the_inspector_starts_a_server_and_is_told_what_a_write_would_do(tmp_path: Path) -> None:
    server = parameters(["stdio", "--sandbox"], {})
    call = ["--method", "tools/call", "--tool-name", "cancel_scheduled_event"]
    call += ["--tool-arg", f"scheduled_event={fixed_id('event odd')}", "--format", "json"]
    settings = {**NO_BROWSER, "HOME": str(tmp_path), "MCP_INSPECTOR_SECRET_STORE": "memory"}
    with node(INSPECTOR, "--cli", server.command, *server.args, *call, **settings) as inspector:
        ended = inspector.end()
    error = json.loads(ended.stdout)["result"]["structuredContent"]["error"]
    assert error["kind"] == "confirmation_required"
    assert error["message"].startswith("Cancel a meeting.")
