"""mcp-remote, the bridge for programs that know stdio only, signs in and is remembered."""

from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.e2e.hosting import Site
from tests.e2e.people import Browser
from tests.e2e.processes import Program, greet, request
from tests.interop.node import NO_BROWSER, PACKAGES, node

pytestmark = pytest.mark.needs("node")
BRIDGE = PACKAGES / "mcp-remote/dist/proxy.js"


def who(bridge: Program) -> Any:  # noqa: ANN401 - any JSON
    """Ask for the name of the user."""
    assert greet(bridge)["serverInfo"]["name"] == "calendly"
    bridge.say(request("tools/call", 2, name="get_current_user", arguments={}))
    return bridge.hear()["result"]["structuredContent"]["name"]


def cancel(bridge: Program, number: int, **arguments: object) -> Any:  # noqa: ANN401 - any JSON
    """Cancel a meeting; what there is to say about it."""
    bridge.say(request("tools/call", number, name="cancel_scheduled_event", arguments=arguments))
    return bridge.hear()["result"]["structuredContent"]


@pytest.mark.requirement("client-lines")
def test_the_bridge_signs_in_and_does_not_ask_again(site: Site, tmp_path: Path) -> None:
    settings = {**NO_BROWSER, "MCP_REMOTE_CONFIG_DIR": str(tmp_path)}
    with node(BRIDGE, site.endpoint, **settings) as bridge:
        bridge.line(f"[{bridge.process.pid}] OAuth callback server running")
        bridge.line("Please authorize this client by visiting:")
        address = "http" + bridge.line("http")
        anyio.run(Browser("Ingrid Solberg").arrive, address)
        assert who(bridge) == "Ingrid Solberg"
        bridge.say(request("tools/list", 3))
        assert "cancel_scheduled_event" in {tool["name"] for tool in bridge.hear()["result"]["tools"]}
        last = {"status": "active", "sort": "start_time:desc", "count": 1}
        bridge.say(request("tools/call", 4, name="list_scheduled_events", arguments=last))
        [meeting] = bridge.hear()["result"]["structuredContent"]["collection"]
        token = cancel(bridge, 5, scheduled_event=meeting["uri"])["error"]["confirmation"]
        assert cancel(bridge, 6, scheduled_event=meeting["uri"], confirmation=token)["canceled_by"] == "Ingrid Solberg"
    with node(BRIDGE, site.endpoint, **settings) as bridge:
        assert who(bridge) == "Ingrid Solberg"
