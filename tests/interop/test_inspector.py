"""The Inspector's command line signs in and calls, over the handshake and without."""

import json
from pathlib import Path

import pytest

from tests.interop.browser import sign_in_and_return
from tests.interop.node import NO_BROWSER, PACKAGES, node

pytestmark = pytest.mark.needs("node")
INSPECTOR = PACKAGES / "@modelcontextprotocol/inspector/clients/launcher/build/index.js"


@pytest.mark.parametrize("era", ["legacy", "modern"])
def test_the_inspector_signs_in_and_calls_a_tool(hosted: str, tmp_path: Path, era: str) -> None:
    words = ["--cli", hosted, "--transport", "http", "--protocol-era", era, "--format", "json"]
    words += ["--method", "tools/call", "--tool-name", "get_current_user"]
    words += ["--callback-url", "http://127.0.0.1:0/oauth/callback"]
    # Without a terminal it signs in only when it may open a browser, of which it finds none.
    settings = {**NO_BROWSER, "HOME": str(tmp_path), "MCP_AUTO_OPEN_ENABLED": "true"}
    with node(INSPECTOR, *words, MCP_INSPECTOR_SECRET_STORE="memory", **settings) as inspector:
        sign_in_and_return(inspector.line("Please navigate to: "), "Erik Dahl")
        ended = inspector.end()
    assert ended.status == 0, ended.stderr
    assert json.loads(ended.stdout)["result"]["structuredContent"]["name"] == "Erik Dahl"
